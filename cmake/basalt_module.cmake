# basalt_module(<name>
#     SOURCES  a.c b.c          always listed, never globbed
#     USES     basalt_base ...  the layers below, as link edges
#     TESTS    a b/c ...        tests/unit/<folder>/test_a.c, …/b/test_c.c -> ctest <folder>.a, .b.c
#     THREADED b/c ...          those of them that run threads: label `threads`, target threaded_tests
#     TEST_USES ...             more libraries for the suites)
#
# Makes the static library basalt_<name>; <folder> is this folder's path from the root.
function(basalt_module name)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;TESTS;THREADED;TEST_USES" ${ARGN})
    add_library(basalt_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(basalt_${name} PUBLIC basalt_options ${ARG_USES})
    basalt_tests(${name} TESTS ${ARG_TESTS} THREADED ${ARG_THREADED} TEST_USES ${ARG_TEST_USES})
endfunction()

# basalt_tests(<name> TESTS … THREADED … TEST_USES …)
#
# The suites of this folder over the module <name>, for folders that are part of another's module.
function(basalt_tests name)
    cmake_parse_arguments(ARG "" "" "TESTS;THREADED;TEST_USES" ${ARGN})
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
    string(REPLACE "/" "." label ${folder})
    foreach(test ${ARG_TESTS})
        string(REPLACE "/" "_" target test_${name}_${test})
        string(REPLACE "/" "." test_label ${label}.${test})
        get_filename_component(stem ${test} NAME)
        get_filename_component(subfolder ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/${test} DIRECTORY)
        add_executable(${target} ${subfolder}/test_${stem}.c)
        target_link_libraries(${target} PRIVATE basalt_${name} ${ARG_TEST_USES} basalt_check)
        add_test(NAME ${test_label} COMMAND ${target})
        set_tests_properties(${test_label} PROPERTIES LABELS fast TIMEOUT 300
            ENVIRONMENT "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/lsan.supp")
    endforeach()
    foreach(test ${ARG_THREADED})
        string(REPLACE "/" "_" target test_${name}_${test})
        string(REPLACE "/" "." test_label ${label}.${test})
        set_property(TEST ${test_label} APPEND PROPERTY LABELS threads)
        add_dependencies(threaded_tests ${target})
    endforeach()
endfunction()

add_custom_target(threaded_tests) # what a race detector wants to see

# Check, the unit test library: its only door is tests/. The program and its tools build without it.
if(NOT TARGET basalt_check)
    pkg_check_modules(CHECK IMPORTED_TARGET check)
    add_library(basalt_check INTERFACE)
    if(CHECK_FOUND)
        target_link_libraries(basalt_check INTERFACE PkgConfig::CHECK)
    else()
        message(STATUS "Check is not installed: suites do not build (deploy/install-deps --tests)")
    endif()
    target_compile_options(basalt_check INTERFACE -Wno-pedantic -Wno-conversion)
endif()
