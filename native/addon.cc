// The addon's JavaScript face: createContext() returns one object per platform whose functions are bound to it.
//
// Functions return numbers: errno values, byte counts or -errno. Nothing here throws.
#include <napi.h>

#include <sys/auxv.h>
#include <sys/mman.h>

#include "context.h"
#include "hostio.h"
#include "looper.h"
#include "tracer.h"

namespace levitate {

namespace {

Context *of(const Napi::CallbackInfo &info) { return static_cast<Context *>(info.Data()); }
int integer(const Napi::CallbackInfo &info, size_t i) { return info[i].As<Napi::Number>().Int32Value(); }
double number(const Napi::CallbackInfo &info, size_t i) { return info[i].As<Napi::Number>().DoubleValue(); }
uint64_t address(const Napi::CallbackInfo &info, size_t i) { return static_cast<uint64_t>(number(info, i)); }
Napi::Value reply(const Napi::CallbackInfo &info, double value) { return Napi::Number::New(info.Env(), value); }

// The bytes [offset, offset+length) of a typed array argument, or null when out of range.
uint8_t *bytes(const Napi::CallbackInfo &info, size_t i, double offset, double length) {
  napi_typedarray_type type;
  size_t size;
  void *data;
  if (napi_get_typedarray_info(info.Env(), info[i], &type, &size, &data, nullptr, nullptr) != napi_ok) return nullptr;
  if (type != napi_uint8_array || offset < 0 || length < 0 || offset + length > static_cast<double>(size)) return nullptr;
  return static_cast<uint8_t *>(data) + static_cast<size_t>(offset);
}
bool goodSpace(Context *c, int space) { return !c->closed() && space >= 0 && space < static_cast<int>(c->spaces.size()) && c->spaces[space].slots > 0; }
bool goodSlot(Context *c, int slot) {
  return !c->closed() && slot >= 0 && slot < static_cast<int>(c->slots.size()) && c->slots[slot].state != State::kFree;
}

// The functions that are called at every stop or nearly so are bare N-API callbacks: `kWho` and the arguments in the control
// block are what they work on, and what they find goes there, too.
Context *of(napi_env env, napi_callback_info info) {
  void *data;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return static_cast<Context *>(data);
}

napi_value send(napi_env env, napi_callback_info info) {
  of(env, info)->send();
  return nullptr;
}
napi_value wait(napi_env env, napi_callback_info info) {
  of(env, info)->wait();
  return nullptr;
}

// Resumes now, not with the next wait.
Napi::Value start(const Napi::CallbackInfo &info) {
  if (goodSlot(of(info), integer(info, 0))) of(info)->resume(integer(info, 0));
  return info.Env().Undefined();
}
Napi::Value interrupt(const Napi::CallbackInfo &info) {
  if (goodSlot(of(info), integer(info, 0))) of(info)->interrupt(integer(info, 0));
  return info.Env().Undefined();
}
Napi::Value exit(const Napi::CallbackInfo &info) {
  if (goodSlot(of(info), integer(info, 0))) of(info)->requestExit(integer(info, 0));
  return info.Env().Undefined();
}
Napi::Value batch(const Napi::CallbackInfo &info) {
  int failedAt = 0;
  if (!goodSlot(of(info), integer(info, 0))) return reply(info, ESRCH);
  return reply(info, of(info)->runBatch(integer(info, 0), integer(info, 1), &failedAt));
}
// (slot, return address, its place in the trampoline)
Napi::Value continues(const Napi::CallbackInfo &info) {
  if (goodSlot(of(info), integer(info, 0)))
    of(info)->spaces[of(info)->slots[integer(info, 0)].space].continuations.add(address(info, 1), address(info, 2));
  return info.Env().Undefined();
}
// Whether nothing is left of any other thread of its process.
Napi::Value alone(const Napi::CallbackInfo &info) {
  return Napi::Boolean::New(info.Env(), goodSlot(of(info), integer(info, 0)) && of(info)->alone(integer(info, 0)));
}
// New threads: the slot or -errno; the host's thread id and the space go into the control block.
Napi::Value born(const Napi::CallbackInfo &info, int slot) {
  Context *c = of(info);
  if (slot >= 0) {
    c->control[kHostTid] = c->slots[slot].tid;
    c->control[kSlot] = c->slots[slot].space;
  }
  return reply(info, slot);
}
Napi::Value cloneThread(const Napi::CallbackInfo &info) {
  return born(info, goodSlot(of(info), integer(info, 0)) ? of(info)->cloneThread(integer(info, 0)) : -ESRCH);
}
Napi::Value fork(const Napi::CallbackInfo &info) {
  return born(info, goodSlot(of(info), integer(info, 0)) ? of(info)->fork(integer(info, 0)) : -ESRCH);
}
Napi::Value createAddressSpace(const Napi::CallbackInfo &info) {
  return born(info, of(info)->closed() ? -ESRCH : of(info)->createAddressSpace());
}

// Copies between the space `kWho` and memory of ours: address, offset, length; the bytes copied take the place of the length.
template <ssize_t (Context::*Copy)(int, uint64_t, uint8_t *, size_t)>
void copy(Context *c, uint8_t *ours, size_t size) {
  const double offset = c->argument(1), length = c->argument(2);
  const bool good = ours && offset >= 0 && length >= 0 && offset + length <= static_cast<double>(size) && goodSpace(c, c->control[kWho]);
  const ssize_t copied = !good ? 0
                               : (c->*Copy)(c->control[kWho], static_cast<uint64_t>(c->argument(0)),
                                            ours + static_cast<size_t>(offset), static_cast<size_t>(length));
  c->argument(2) = static_cast<double>(copied);
}
template <ssize_t (Context::*Copy)(int, uint64_t, uint8_t *, size_t)>
napi_value copyPhysical(napi_env env, napi_callback_info info) {
  Context *c = of(env, info);
  if (!c->closed()) copy<Copy>(c, c->physical, c->physicalSize);
  return nullptr;
}
// (bytes)
template <ssize_t (Context::*Copy)(int, uint64_t, uint8_t *, size_t)>
napi_value copyBytes(napi_env env, napi_callback_info info) {
  size_t count = 1, size = 0;
  napi_value array;
  void *data, *at = nullptr;
  napi_get_cb_info(env, info, &count, &array, nullptr, &data);
  auto *c = static_cast<Context *>(data);
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, array, &type, &size, &at, nullptr, nullptr) != napi_ok || type != napi_uint8_array) at = nullptr;
  if (!c->closed()) copy<Copy>(c, static_cast<uint8_t *>(at), size);
  return nullptr;
}
Napi::Value release(const Napi::CallbackInfo &info) {
  return reply(info, of(info)->closed() ? 0 : of(info)->release(address(info, 0), address(info, 1)));
}
Napi::Value clear(const Napi::CallbackInfo &info) {
  return reply(info, of(info)->closed() ? 0 : of(info)->clear(address(info, 0), address(info, 1)));
}
Napi::Value syncCode(const Napi::CallbackInfo &info) {
  if (!of(info)->closed()) of(info)->syncCode(address(info, 0), address(info, 1));
  return info.Env().Undefined();
}
Napi::Value physicalResident(const Napi::CallbackInfo &info) {
  return reply(info, of(info)->closed() ? 0 : of(info)->physicalResident());
}
// (space, address, bytes)
Napi::Value poke(const Napi::CallbackInfo &info) {
  Context *c = of(info);
  if (!goodSpace(c, integer(info, 0)) || !info[2].IsTypedArray()) return reply(info, ESRCH);
  const auto bytes = info[2].As<Napi::Uint8Array>();
  return reply(info, c->poke(integer(info, 0), address(info, 1), bytes.Data(), bytes.ByteLength()));
}
// (space, address, length, out | undefined)
Napi::Value resident(const Napi::CallbackInfo &info) {
  Context *c = of(info);
  if (!goodSpace(c, integer(info, 0))) return reply(info, 0);
  uint8_t *out = nullptr;
  const double pages = static_cast<double>((address(info, 2) + c->pageSize - 1) / c->pageSize);
  if (info[3].IsTypedArray() && !(out = bytes(info, 3, 0, pages))) return reply(info, -EINVAL);
  return reply(info, c->resident(integer(info, 0), address(info, 1), address(info, 2), out));
}
Napi::Value rss(const Napi::CallbackInfo &info) {
  return reply(info, goodSpace(of(info), integer(info, 0)) ? of(info)->rss(integer(info, 0)) : 0);
}
Napi::Value peakRss(const Napi::CallbackInfo &info) {
  return reply(info, goodSpace(of(info), integer(info, 0)) ? of(info)->peakRss(integer(info, 0)) : 0);
}
Napi::Value collect(const Napi::CallbackInfo &info) {
  if (goodSpace(of(info), integer(info, 0))) of(info)->collect(integer(info, 0));
  return info.Env().Undefined();
}
// Functions about the slot `kWho`; the first argument becomes 0 or errno.
template <int (*F)(Context *, int)>
napi_value ofSlot(napi_env env, napi_callback_info info) {
  Context *c = of(env, info);
  if (c->closed()) return nullptr;
  const int slot = c->control[kWho];
  c->argument(0) = goodSlot(c, slot) ? F(c, slot) : ESRCH;
  return nullptr;
}
int sync(Context *c, int slot) { return c->sync(slot); }
// The second argument becomes the kind.
int getFp(Context *c, int slot) {
  arch::FpKind kind = arch::FpKind::kFull;
  const int error = c->getFp(slot, &kind);
  c->argument(1) = static_cast<int>(kind);
  return error;
}
// Length of the image.
int setFp(Context *c, int slot) {
  const double length = c->argument(0);
  return length >= 0 ? c->setFp(slot, static_cast<size_t>(length)) : EINVAL;
}
// Kind of the present state.
int resetFp(Context *c, int slot) { return c->resetFp(slot, static_cast<arch::FpKind>(static_cast<int>(c->argument(0)))); }
// User and system nanoseconds of the slot `kWho`; zeros when the host does not tell.
napi_value cpuTime(napi_env env, napi_callback_info info) {
  Context *c = of(env, info);
  if (c->closed()) return nullptr;
  double user = 0, system = 0;
  if (goodSlot(c, c->control[kWho])) c->cpuTime(c->control[kWho], &user, &system);
  c->argument(0) = user;
  c->argument(1) = system;
  return nullptr;
}
Napi::Value arm(const Napi::CallbackInfo &info) {
  if (!of(info)->closed()) of(info)->looper->arm(info[0].ToBoolean());
  return info.Env().Undefined();
}
Napi::Value unpin(const Napi::CallbackInfo &info) {
  of(info)->placement.unpin();
  return info.Env().Undefined();
}
Napi::Value settle(const Napi::CallbackInfo &info) { return reply(info, of(info)->closed() ? 0 : of(info)->settle()); }
Napi::Value close(const Napi::CallbackInfo &info) {
  Context *c = of(info);
  c->close();
  for (napi_ref &ref : c->buffers) {
    napi_value buffer;
    if (ref && napi_get_reference_value(info.Env(), ref, &buffer) == napi_ok && buffer)
      napi_detach_arraybuffer(info.Env(), buffer);
    if (ref) napi_delete_reference(info.Env(), ref);
  }
  c->buffers.clear();
  return info.Env().Undefined();
}

// An ArrayBuffer over one of the context's regions, or `size` bytes from its beginning on.
Napi::Value share(Context *c, void *at, size_t size = SIZE_MAX) {
  for (Region *region : c->regions) {
    if (region->at != at) continue;
    region->users.fetch_add(1);
    const auto drop = [](Napi::Env, void *, Region *hint) { hint->drop(); };
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(c->env, at, std::min(size, region->size), drop, region);
    napi_ref ref;
    napi_create_reference(c->env, buffer, 1, &ref);
    c->buffers.push_back(ref);
    return buffer;
  }
  return Napi::Env(c->env).Undefined();
}

Napi::Value viewPhysical(const Napi::CallbackInfo &info) {
  Context *c = of(info);
  return c->closed() ? info.Env().Undefined() : share(c, c->physical, static_cast<size_t>(address(info, 0)));
}

Napi::Value viewChannels(const Napi::CallbackInfo &info) {
  Context *c = of(info);
  return c->closed() ? info.Env().Undefined() : share(c, c->channelAt(0), static_cast<size_t>(address(info, 0)));
}

Napi::Value createContext(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  auto *c = new Context(env, info[0].As<Napi::String>().Utf8Value(), address(info, 1), info[2].As<Napi::Boolean>().Value(),
                        integer(info, 3));
  Napi::Object result = Napi::Object::New(env);
  const int error = c->start();
  result.Set("error", error);
  result.Set("step", c->failedStep);
  if (error) {
    c->close();
    delete c;
    return result;
  }
  env.AddCleanupHook([](Context *context) { delete context; }, c);

  result.Set("control", share(c, c->control));
  result.Set("registers", share(c, c->registers));
  result.Set("batchPage", share(c, c->batch));
  result.Set("physicalSize", static_cast<double>(c->physicalSize));
  result.Set("gate", Napi::Boolean::New(env, c->gate()));
  result.Set("gateAt", static_cast<double>(c->gateAt()));
  result.Set("channelsAt", static_cast<double>(c->channelsAt()));
  result.Set("channelBytes", static_cast<double>(c->channelBytes()));
  result.Set("gateControl", share(c, c->gateControl()));
  result.Set("arch", arch::kName);
  result.Set("coherentCode", Napi::Boolean::New(env, arch::kCoherentCode));
  result.Set("pageSize", static_cast<double>(c->pageSize));
  result.Set("taskSize", static_cast<double>(c->taskSize));
  result.Set("vdso", static_cast<double>(c->vdso));
  const uint64_t sigreturn = c->vdso ? vdsoSymbol(arch::kSigreturnSymbol) : 0;
  result.Set("sigreturn", static_cast<double>(sigreturn ? c->vdso + sigreturn : 0));
  Napi::Array areas = Napi::Array::New(env);
  for (const HostArea &area : c->hostAreas) {
    Napi::Object one = Napi::Object::New(env);
    one.Set("start", static_cast<double>(area.start));  // whole pages: no bit of the vsyscall page's address is lost
    one.Set("end", static_cast<double>(area.end));
    one.Set("mode", area.mode);
    one.Set("name", area.name);
    areas.Set(areas.Length(), one);
  }
  result.Set("hostAreas", areas);
  result.Set("fpArea", share(c, c->fpArea));
  result.Set("fpSize", static_cast<double>(c->fpSize));
  result.Set("hwcap", static_cast<double>(arch::guestHwcap(getauxval(AT_HWCAP))));
  result.Set("hwcap2", static_cast<double>(arch::guestHwcap2(getauxval(AT_HWCAP2))));
  result.Set("minsigstksz", static_cast<double>(getauxval(51 /* AT_MINSIGSTKSZ */)));

  const auto addBare = [&](const char *name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, c, &function);
    result.Set(name, function);
  };
  addBare("send", levitate::send);
  addBare("wait", levitate::wait);
  addBare("read", copyBytes<&Context::copyFrom>);
  addBare("write", copyBytes<&Context::copyTo>);
  addBare("readToPhysical", copyPhysical<&Context::copyFrom>);
  addBare("writeFromPhysical", copyPhysical<&Context::copyTo>);
  addBare("cpuTime", cpuTime);
  addBare("sync", ofSlot<levitate::sync>);
  addBare("getFp", ofSlot<getFp>);
  addBare("setFp", ofSlot<setFp>);
  addBare("resetFp", ofSlot<resetFp>);
  const auto add = [&]<Napi::Value (*F)(const Napi::CallbackInfo &)>(const char *name) {
    result.Set(name, Napi::Function::New<F>(env, name, c));
  };
  add.operator()<start>("start");
  add.operator()<interrupt>("interrupt");
  add.operator()<exit>("exit");
  add.operator()<levitate::batch>("batch");
  add.operator()<continues>("continues");
  add.operator()<alone>("alone");
  add.operator()<cloneThread>("cloneThread");
  add.operator()<fork>("fork");
  add.operator()<createAddressSpace>("createAddressSpace");
  add.operator()<release>("release");
  add.operator()<syncCode>("syncCode");
  add.operator()<levitate::clear>("clear");
  add.operator()<physicalResident>("physicalResident");
  add.operator()<viewPhysical>("viewPhysical");
  add.operator()<viewChannels>("viewChannels");
  add.operator()<levitate::poke>("poke");
  add.operator()<resident>("resident");
  add.operator()<rss>("rss");
  add.operator()<peakRss>("peakRss");
  add.operator()<collect>("collect");
  add.operator()<arm>("arm");
  add.operator()<settle>("settle");
  add.operator()<unpin>("unpin");
  add.operator()<levitate::close>("close");
  return result;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("supported", Napi::Boolean::New(env, true));
  exports.Set("createContext", Napi::Function::New<createContext>(env, "createContext"));
  initHostIo(env, exports);
  initTracer(env, exports);
  return exports;
}

}  // namespace
}  // namespace levitate

using levitate::Init;
NODE_API_MODULE(levitate, Init)
