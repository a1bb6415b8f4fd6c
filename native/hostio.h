// Small host services for the tty and the CLI: see hostio.cc, watch.cc, terminal.cc.
#pragma once
#include <napi.h>

namespace levitate {
void initHostIo(Napi::Env env, Napi::Object exports);
void initWatch(Napi::Env env, Napi::Object exports);
void initTerminal(Napi::Env env, Napi::Object exports);
}  // namespace levitate
