# Finds libtorch and makes the target `hrt_torch`. Torch's own CMake package wants a CUDA toolkit when the
# wheel is a CUDA build; headers and libraries are all that is needed, so they are looked up directly.
#
# HRT_TORCH: a torch package folder (site-packages/torch) or an unpacked libtorch; default: the one that tools/setup
# chose, which .venv/torch points to.

set(HRT_TORCH "" CACHE PATH "Folder of torch (site-packages/torch) or of libtorch")
if(NOT HRT_TORCH AND EXISTS ${CMAKE_SOURCE_DIR}/.venv/torch)
  file(REAL_PATH ${CMAKE_SOURCE_DIR}/.venv/torch HRT_TORCH)
endif()
if(NOT HRT_TORCH)
  message(FATAL_ERROR "no libtorch: run tools/setup, or configure with -DHRT_TORCH=/path/to/torch")
endif()
if(NOT EXISTS ${HRT_TORCH}/include/ATen/core/Tensor.h)
  message(FATAL_ERROR "HRT_TORCH=${HRT_TORCH} holds no include/ATen/core/Tensor.h")
endif()
set(HRT_TORCH_LIB ${HRT_TORCH}/lib)
message(STATUS "libtorch: ${HRT_TORCH}")

add_library(hrt_torch INTERFACE)
# The wheel carries headers of its own fmt among others: torch's folder is looked in last, so that they never
# replace those of the system's libraries that we link.
target_compile_options(hrt_torch INTERFACE "SHELL:-idirafter ${HRT_TORCH}/include")
target_link_directories(hrt_torch INTERFACE ${HRT_TORCH_LIB})
target_link_libraries(hrt_torch INTERFACE ${HRT_TORCH_LIB}/libtorch.so ${HRT_TORCH_LIB}/libtorch_cpu.so
                                          ${HRT_TORCH_LIB}/libc10.so)
if(EXISTS ${HRT_TORCH_LIB}/libtorch_cuda.so)
  # Nothing refers to these by symbol; the linker must keep them, so that CUDA registers itself.
  target_link_libraries(hrt_torch INTERFACE
    -Wl,--push-state,--no-as-needed ${HRT_TORCH_LIB}/libtorch_cuda.so ${HRT_TORCH_LIB}/libc10_cuda.so -Wl,--pop-state)
endif()

# One OpenMP runtime in the process: ours must be the one that torch brings, else two thread pools fight.
file(GLOB HRT_GOMP ${HRT_TORCH_LIB}/libgomp*.so*)
# clang's own runtime would be a second one: with torch's it compiles parallel regions as plain loops.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(hrt_torch INTERFACE -fopenmp=libgomp)
else()
  target_compile_options(hrt_torch INTERFACE -fopenmp)
endif()
if(HRT_GOMP)
  list(GET HRT_GOMP 0 HRT_GOMP)
  target_link_libraries(hrt_torch INTERFACE ${HRT_GOMP})
else()
  target_link_options(hrt_torch INTERFACE -fopenmp)
endif()
set(CMAKE_BUILD_RPATH ${HRT_TORCH_LIB})
