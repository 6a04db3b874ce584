# Options and the interface target `basalt_options`: language, warnings, sanitizers.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(BASALT_FAULTS "Build the named fault points" OFF)
option(BASALT_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(BASALT_WERROR "Warnings are errors" ON)
set(BASALT_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread")

add_library(basalt_options INTERFACE)
target_include_directories(basalt_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_compile_definitions(basalt_options INTERFACE _GNU_SOURCE
    $<$<BOOL:${BASALT_FAULTS}>:BASALT_FAULTS>)
target_compile_options(basalt_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    -fno-strict-aliasing -fno-omit-frame-pointer
    $<$<BOOL:${BASALT_WERROR}>:-Werror>)
if(BASALT_SANITIZE)
    target_compile_options(basalt_options INTERFACE -fsanitize=${BASALT_SANITIZE}
        -fno-sanitize-recover=all)
    target_link_options(basalt_options INTERFACE -fsanitize=${BASALT_SANITIZE})
endif()
if(BASALT_FUZZ) # libFuzzer follows its coverage through every library, llvm-cov counts lines
    set(fuzz_flags -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
    target_compile_options(basalt_options INTERFACE ${fuzz_flags})
    target_link_options(basalt_options INTERFACE ${fuzz_flags})
endif()
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
target_link_libraries(basalt_options INTERFACE Threads::Threads m)
