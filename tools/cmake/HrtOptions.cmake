# Compiler settings and the helper that makes one library per source folder.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
if(HRT_TIDY)
  find_program(CLANG_TIDY_PROGRAM clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY ${CLANG_TIDY_PROGRAM} --quiet)
endif()

add_library(hrt_options INTERFACE)
target_compile_options(hrt_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in "literal" + std::string where there are none (its bug 105651).
  target_compile_options(hrt_options INTERFACE -Wno-restrict)
endif()
if(HRT_WERROR)
  target_compile_options(hrt_options INTERFACE -Werror)
endif()
if(HRT_SANITIZE)
  target_compile_options(hrt_options INTERFACE -fsanitize=${HRT_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all)
  target_link_options(hrt_options INTERFACE -fsanitize=${HRT_SANITIZE})
endif()

# hrt_library(NAME DEPS...): library hrt_NAME out of every .cc in the current folder.
function(hrt_library name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)  # a folder whose code is still to come
    add_library(hrt_${name} INTERFACE)
    target_link_libraries(hrt_${name} INTERFACE ${ARGN})
    return()
  endif()
  add_library(hrt_${name} STATIC ${sources})
  target_include_directories(hrt_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(hrt_${name} PUBLIC ${ARGN} PRIVATE hrt_options)
endfunction()

# hrt_tests(NAME DEPS...): executable NAME_tests out of every *_test.cc in the current folder. The suite's name
# decides the label, so that `ctest -L real` (or goldens, slow) picks them: RealFoo, GoldensFoo, SlowFoo.
function(hrt_tests name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src/${name})
  target_link_libraries(${name}_tests PRIVATE ${ARGN} hrt_options GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name}_tests PRIVATE HRT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name}_tests DISCOVERY_MODE PRE_TEST TEST_PREFIX ${name}. TEST_FILTER "-Real*:Goldens*:Slow*")
  foreach(label Real Goldens Slow)
    string(TOLOWER ${label} lower)
    gtest_discover_tests(${name}_tests DISCOVERY_MODE PRE_TEST TEST_PREFIX ${name}. TEST_FILTER "${label}*"
                         TEST_LIST ${name}_${lower} PROPERTIES LABELS ${lower})
  endforeach()
endfunction()
