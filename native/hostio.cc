#include "hostio.h"
namespace levitate { void initHostIo(Napi::Env, Napi::Object) {} }
