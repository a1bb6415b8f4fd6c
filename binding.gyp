{
  # The addon, and two tiny programs without libc: the stub that becomes every guest process, and the terminal guard.
  "variables": {
    "conditions": [
      ["target_arch=='x64'", { "stub_arch%": "x86_64" }],
      ["target_arch=='arm64'", { "stub_arch%": "aarch64" }],
      ["target_arch!='x64' and target_arch!='arm64'", { "stub_arch%": "none" }]
    ]
  },
  "targets": [
    {
      "target_name": "levitate",
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api"],
      "defines": ["NAPI_VERSION=8"],
      "cflags": ["-Wall", "-Wextra", "-fvisibility=hidden"],
      "cflags_cc": ["-std=c++20", "-fno-rtti"],
      "conditions": [
        ["OS=='linux' and stub_arch!='none'", {
          "dependencies": ["levitate-stub", "levitate-guard"],
          "sources": [
            "native/addon.cc",
            "native/context.cc",
            "native/spawn.cc",
            "native/vdso.cc",
            "native/zygote.cc",
            "native/wait.cc",
            "native/batch.cc",
            "native/gate.cc",
            "native/threads.cc",
            "native/memory.cc",
            "native/looper.cc",
            "native/placement.cc",
            "native/watch.cc",
            "native/terminal.cc",
            "native/hostio.cc",
            "native/pump.cc",
            "native/tracer.cc",
            "native/tracer-addon.cc",
            "native/tracer-launch.cc",
            "native/stub/<(stub_arch).S",
            "native/stub/gate_<(stub_arch).S"
          ]
        }, {
          "sources": ["native/unsupported.cc"]
        }]
      ]
    }
  ],
  "conditions": [
    ["OS=='linux' and stub_arch!='none'", {
      "targets": [
        {
          "target_name": "levitate-stub",
          "type": "executable",
          "sources": ["native/stub/start_<(stub_arch).S"],
          "ldflags": ["-static", "-nostdlib", "-Wl,-Ttext=0x400000", "-Wl,--build-id=none"]
        },
        {
          "target_name": "levitate-guard",
          "type": "executable",
          "sources": ["native/stub/guard.c"],
          "cflags": ["-ffreestanding", "-fno-stack-protector", "-O2", "-fno-pic", "-fno-pie"],
          "ldflags": ["-static", "-nostdlib", "-Wl,--build-id=none"]
        }
      ]
    }]
  ]
}
