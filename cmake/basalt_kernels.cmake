# basalt_kernels(<target> a_kernels.c b_kernels.c ...)
#
# Adds hot loops to the static library <target>, each file compiled once per kernel level:
#
#     level      flags                                     KERNEL_LEVEL
#     portable   none: plain C for any processor           portable
#     v2         -march=x86-64-v2                          v2
#     v3         -march=x86-64-v3                          v3
#     v4         -march=x86-64-v4, vectors of 512 bits     v4
#
# Elsewhere than on x86-64 only the portable level is built. A file defines one table of functions,
# named KERNEL(<stem>), and nothing else that is visible; base/vector/kernel_level.h tells how the
# table of the running processor is found. One call per target. Optimised with -O3, under the Debug
# build type with -Og: without optimisation intrinsics are macros that warn.
function(basalt_kernels target)
    set(levels portable)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
        list(APPEND levels v2 v3 v4)
    endif()
    set(portable_flags "")
    set(v2_flags -march=x86-64-v2)
    set(v3_flags -march=x86-64-v3)
    set(v4_flags -march=x86-64-v4 -mprefer-vector-width=512)
    foreach(level ${levels})
        add_library(${target}_${level} OBJECT ${ARGN})
        # the options only: linking the module itself would be a circle
        target_link_libraries(${target}_${level} PRIVATE basalt_options)
        target_compile_definitions(${target}_${level} PRIVATE KERNEL_LEVEL=${level}
            $<$<STREQUAL:${level},portable>:KERNEL_PORTABLE>)
        target_compile_options(${target}_${level} PRIVATE ${${level}_flags}
            $<IF:$<CONFIG:Debug>,-Og,-O3>)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${level}>)
    endforeach()
endfunction()
