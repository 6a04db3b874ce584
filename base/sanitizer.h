/* sanitizer.h — which sanitizer this build carries, and poison for memory nobody may touch. */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZER_ADDRESS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZER_ADDRESS 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define SANITIZER_THREAD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER_THREAD 1
#endif
#endif

#ifdef SANITIZER_ADDRESS
#include <sanitizer/asan_interface.h>
#define MEMORY_POISON(address, bytes) ASAN_POISON_MEMORY_REGION((address), (bytes))
#define MEMORY_UNPOISON(address, bytes) ASAN_UNPOISON_MEMORY_REGION((address), (bytes))
#else
#define MEMORY_POISON(address, bytes) ((void)(address), (void)(bytes))
#define MEMORY_UNPOISON(address, bytes) ((void)(address), (void)(bytes))
#endif
