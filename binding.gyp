{
  "targets": [
    {
      "target_name": "mapsafe",
      "sources": [
        "native/addon/addon.cc",
        "native/addon/engine_handle.cc",
        "native/addon/file_functions.cc",
        "native/addon/key_reader.cc",
        "native/addon/mapping.cc",
        "native/addon/methods.cc",
        "native/addon/text_buffer.cc",
        "native/addon/ticking_clock.cc",
        "native/core/block_cache.cc",
        "native/core/cleanup.cc",
        "native/core/collect.cc",
        "native/core/contention.cc",
        "native/core/directory.cc",
        "native/core/engine.cc",
        "native/core/eviction.cc",
        "native/core/eviction_ghosts.cc",
        "native/core/eviction_queues.cc",
        "native/core/format.cc",
        "native/core/heap.cc",
        "native/core/increment.cc",
        "native/core/liveness.cc",
        "native/core/lookup.cc",
        "native/core/mapped_file.cc",
        "native/core/repair.cc",
        "native/core/restructure.cc",
        "native/core/snapshot.cc",
        "native/core/split.cc",
        "native/core/structural.cc",
        "native/core/takeover.cc",
        "native/core/thread_record.cc",
        "native/core/verify.cc",
        "native/core/verify_eviction.cc",
        "native/core/write.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
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
