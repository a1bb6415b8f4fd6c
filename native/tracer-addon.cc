// The JavaScript face of the tracer: createHostTracer() gives an object of functions bound to one HostTracer.
//
// Strings are byte strings, one character per byte, in both directions.
#include "tracer.h"

namespace levitate {

namespace {

Napi::Value reply(const Napi::CallbackInfo &info, double value) { return Napi::Number::New(info.Env(), value); }
HostTracer *of(const Napi::CallbackInfo &info) { return static_cast<HostTracer *>(info.Data()); }

std::string text(Napi::Value value) {
  if (!value.IsString()) return "";
  size_t length = 0;
  napi_get_value_string_latin1(value.Env(), value, nullptr, 0, &length);
  std::string out(length + 1, '\0');
  napi_get_value_string_latin1(value.Env(), value, out.data(), out.size(), &length);
  out.resize(length);
  return out;
}
std::vector<std::string> texts(Napi::Value value) {
  std::vector<std::string> out;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) out.push_back(text(array.Get(i)));
  return out;
}
double number(Napi::Value value) { return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0; }

TraceLaunch launchOf(const Napi::Object &o) {
  TraceLaunch launch;
  launch.root = text(o.Get("root"));
  launch.namespaces = static_cast<unsigned long>(number(o.Get("namespaces")));
  launch.uidMap = text(o.Get("uidMap"));
  launch.gidMap = text(o.Get("gidMap"));
  launch.hostname = text(o.Get("hostname"));
  launch.cwd = text(o.Get("cwd"));
  launch.candidates = texts(o.Get("candidates"));
  launch.argv = texts(o.Get("argv"));
  launch.envp = texts(o.Get("envp"));
  const auto mounts = o.Get("mounts").As<Napi::Array>();
  for (uint32_t i = 0; i < mounts.Length(); i++) {
    const auto m = mounts.Get(i).As<Napi::Object>();
    launch.mounts.push_back({text(m.Get("source")), text(m.Get("target")), text(m.Get("type")), text(m.Get("data")),
                             static_cast<unsigned long>(number(m.Get("flags"))), m.Get("optional").ToBoolean().Value()});
  }
  const auto limits = o.Get("limits").As<Napi::Array>();
  for (uint32_t i = 0; i < limits.Length(); i++) launch.limits.push_back(number(limits.Get(i)));
  const auto input = o.Get("input").As<Napi::Uint8Array>();
  launch.input.assign(input.Data(), input.Data() + input.ByteLength());
  return launch;
}

Napi::Value start(const Napi::CallbackInfo &info) {
  HostTracer *tracer = of(info);
  const int error = tracer->start(launchOf(info[0].As<Napi::Object>()));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("error", error);
  result.Set("step", tracer->step);
  return result;
}
Napi::Value next(const Napi::CallbackInfo &info) { return reply(info, of(info)->next(static_cast<int>(number(info[0])))); }
// (tid, address, bytes): errno
Napi::Value readMemory(const Napi::CallbackInfo &info) {
  auto bytes = info[2].As<Napi::Uint8Array>();
  const auto tid = static_cast<pid_t>(number(info[0]));
  return reply(info, of(info)->read(tid, static_cast<uint64_t>(number(info[1])), bytes.Data(), bytes.ByteLength()));
}
Napi::Value output(const Napi::CallbackInfo &info) {
  const int fd = static_cast<int>(number(info[0]));
  if (fd != 1 && fd != 2) return info.Env().Undefined();
  const std::vector<uint8_t> bytes = of(info)->output(fd);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), bytes.data(), bytes.size());
}
Napi::Value killAll(const Napi::CallbackInfo &info) {
  of(info)->kill();
  return info.Env().Undefined();
}
Napi::Value close(const Napi::CallbackInfo &info) {
  of(info)->close();
  return info.Env().Undefined();
}

// Lives as long as its object, and as the memory it shares: both keep it.
Napi::Value createHostTracer(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  auto *shared = new std::shared_ptr<HostTracer>(std::make_shared<HostTracer>());
  HostTracer *tracer = shared->get();
  Napi::Object result = Napi::Object::New(env);
  const auto drop = [](Napi::Env, void *, std::shared_ptr<HostTracer> *hint) { delete hint; };
  result.Set("event", Napi::ArrayBuffer::New(env, tracer->event, sizeof tracer->event, drop,
                                             new std::shared_ptr<HostTracer>(*shared)));
  env.AddCleanupHook([](std::shared_ptr<HostTracer> *hook) {
    (*hook)->close();
    delete hook;
  }, shared);
  result.Set("start", Napi::Function::New<start>(env, "start", tracer));
  result.Set("next", Napi::Function::New<next>(env, "next", tracer));
  result.Set("read", Napi::Function::New<readMemory>(env, "read", tracer));
  result.Set("output", Napi::Function::New<output>(env, "output", tracer));
  result.Set("kill", Napi::Function::New<killAll>(env, "kill", tracer));
  result.Set("close", Napi::Function::New<levitate::close>(env, "close", tracer));
  return result;
}

}  // namespace

void initTracer(Napi::Env env, Napi::Object exports) {
  exports.Set("createHostTracer", Napi::Function::New<createHostTracer>(env, "createHostTracer"));
}

}  // namespace levitate
