// Picks the architecture the addon is built for.
#pragma once
#if defined(__x86_64__)
#include "x86_64.h"
#elif defined(__aarch64__)
#include "aarch64.h"
#else
#error "levitate runs on x86_64 and aarch64 only"
#endif
