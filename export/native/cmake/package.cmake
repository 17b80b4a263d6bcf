# What `cmake --install` gives applications: libraries, headers, and how CMake and pkg-config find
# them.
include(CMakePackageConfigHelpers)

set(TFCOMPRESS_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/tfcompress CACHE STRING
  "Where the files of the CMake package go, from the prefix on")

install(TARGETS tfcompress_shared tfcompress_static tfcompress_kernels EXPORT tfcompress-targets)
install(FILES include/tfcompress.h include/tfcompress_ops.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT tfcompress-targets NAMESPACE tfcompress:: DESTINATION ${TFCOMPRESS_CMAKE_DIR})

# The library of C++, for those who link without its compiler.
set(TFCOMPRESS_CXX_LIBRARIES ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(FILTER TFCOMPRESS_CXX_LIBRARIES INCLUDE REGEX "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
set(TFCOMPRESS_PRIVATE_LIBS pthread ${CMAKE_DL_LIBS} ${TFCOMPRESS_CXX_LIBRARIES})
list(REMOVE_DUPLICATES TFCOMPRESS_PRIVATE_LIBS)
list(TRANSFORM TFCOMPRESS_PRIVATE_LIBS PREPEND -l)
list(JOIN TFCOMPRESS_PRIVATE_LIBS " " TFCOMPRESS_PRIVATE_LIBS)
string(TOUPPER ${CMAKE_BUILD_TYPE} CMAKE_BUILD_TYPE_UPPER)

configure_package_config_file(cmake/tfcompress-config.cmake.in tfcompress-config.cmake
  INSTALL_DESTINATION ${TFCOMPRESS_CMAKE_DIR})
write_basic_package_version_file(tfcompress-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tfcompress-config.cmake
  ${PROJECT_BINARY_DIR}/tfcompress-config-version.cmake DESTINATION ${TFCOMPRESS_CMAKE_DIR})

# Found from where the file itself lies, so that the folder can be moved.
file(RELATIVE_PATH TFCOMPRESS_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/tfcompress.pc.in tfcompress.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tfcompress.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
