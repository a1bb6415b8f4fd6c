#include "hostio.h"
namespace levitate { void initWatch(Napi::Env, Napi::Object) {} }
