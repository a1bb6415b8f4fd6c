#include "hostio.h"
namespace levitate { void initTerminal(Napi::Env, Napi::Object) {} }
