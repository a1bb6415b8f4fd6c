// The addon on a system or architecture that levitate does not run on: loads, and says so.
#include <napi.h>

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("supported", Napi::Boolean::New(env, false));
  return exports;
}
NODE_API_MODULE(levitate, Init)
