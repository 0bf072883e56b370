{
  "targets": [
    {
      "target_name": "mapsafe",
      "sources": [
        "native/addon/addon.cc",
        "native/addon/clock_functions.cc",
        "native/addon/engine_handle.cc",
        "native/addon/file_functions.cc",
        "native/addon/key_methods.cc",
        "native/addon/key_reader.cc",
        "native/addon/map_methods.cc",
        "native/addon/mapping.cc",
        "native/addon/text_buffer.cc",
        "native/addon/thread_functions.cc",
        "native/addon/ticking_clock.cc",
        "native/addon/wake_ups.cc",
        "native/core/memory/free_lists.cc",
        "native/core/write/cleanup.cc",
        "native/core/walk/collect.cc",
        "native/core/write/contention.cc",
        "native/core/index/directory.cc",
        "native/core/engine.cc",
        "native/core/eviction/eviction.cc",
        "native/core/eviction/ghosts.cc",
        "native/core/eviction/nodes.cc",
        "native/core/eviction/queues.cc",
        "native/core/format.cc",
        "native/core/memory/heap.cc",
        "native/core/write/increment.cc",
        "native/core/threads/backoff.cc",
        "native/core/threads/liveness.cc",
        "native/core/index/lookup.cc",
        "native/platform/clocks.cc",
        "native/platform/copy_lock.cc",
        "native/platform/futex.cc",
        "native/platform/mapped_file.cc",
        "native/platform/record_locks.cc",
        "native/core/check/repair.cc",
        "native/core/write/restructure.cc",
        "native/core/walk/snapshot.cc",
        "native/core/write/split.cc",
        "native/core/write/structural.cc",
        "native/core/threads/owners.cc",
        "native/core/threads/takeover.cc",
        "native/core/threads/thread_record.cc",
        "native/core/threads/waits.cc",
        "native/core/check/verify.cc",
        "native/core/check/verify_entry.cc",
        "native/core/check/verify_eviction.cc",
        "native/core/write/write.cc"
      ],
      "include_dirs": ["native/core", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-O2"],
      "cflags_cc": ["-std=c++20", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wpedantic"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      },
      "msvs_settings": {
        "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20"] }
      }
    }
  ]
}
