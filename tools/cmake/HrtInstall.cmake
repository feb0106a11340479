# `cmake --install BUILD --prefix DIR`: a tree that runs wherever it is moved, without Python: bin/hrt, in lib all its
# libraries but glibc's, in share/hrt data and configs.

# RPATH rather than RUNPATH, so that libraries of libraries are found in lib, too.
target_link_options(hrt PRIVATE -Wl,--disable-new-dtags)
set_target_properties(hrt PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
install(TARGETS hrt RUNTIME_DEPENDENCY_SET hrt_libraries)
install(RUNTIME_DEPENDENCY_SET hrt_libraries
        DIRECTORIES ${HRT_TORCH_LIB}
        PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|dl|m|pthread|resolv|rt|util)\\.so"
        LIBRARY DESTINATION lib)
install(DIRECTORY data configs DESTINATION share/hrt)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/hrt)
