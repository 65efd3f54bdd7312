// libvpx, loaded when it is first wanted: most sessions never need it, and start-up time is a feature.
#pragma once

#include <memory>
#define VPX_DISABLE_CTRL_TYPECHECKS 1
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

namespace spice::video {

// The functions that are used of it. They stay valid as long as this lives.
class VpxLibrary {
 public:
  // Null if it is not installed or too different from the one we were built with. Before threads are confined.
  static std::shared_ptr<const VpxLibrary> load();

  decltype(&::vpx_codec_vp8_cx) vp8 = nullptr;
  decltype(&::vpx_codec_vp9_cx) vp9 = nullptr;
  decltype(&::vpx_codec_enc_config_default) config_default = nullptr;
  decltype(&::vpx_codec_enc_init_ver) init = nullptr;
  decltype(&::vpx_codec_enc_config_set) config_set = nullptr;
  decltype(&::vpx_codec_control_) control = nullptr;
  decltype(&::vpx_codec_encode) encode = nullptr;
  decltype(&::vpx_codec_get_cx_data) packet = nullptr;
  decltype(&::vpx_codec_destroy) destroy = nullptr;

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Close> handle_;
};

}  // namespace spice::video
