#include "spice/video/vpx_library.h"

#include <dlfcn.h>

namespace spice::video {

namespace {

// Of the ABI that the headers are of; the library itself checks their version once more when an encoder is made.
constexpr const char* kName = "libvpx.so.7";

}  // namespace

void VpxLibrary::Close::operator()(void* handle) const {
  ::dlclose(handle);
}

std::shared_ptr<const VpxLibrary> VpxLibrary::load() {
  auto library = std::make_shared<VpxLibrary>();
  library->handle_.reset(::dlopen(kName, RTLD_NOW | RTLD_LOCAL));
  if (library->handle_ == nullptr) return nullptr;
  bool is_whole = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library->handle_.get(), name));
    is_whole = is_whole && function != nullptr;
  };
  find(library->vp8, "vpx_codec_vp8_cx");
  find(library->vp9, "vpx_codec_vp9_cx");
  find(library->config_default, "vpx_codec_enc_config_default");
  find(library->init, "vpx_codec_enc_init_ver");
  find(library->config_set, "vpx_codec_enc_config_set");
  find(library->control, "vpx_codec_control_");
  find(library->encode, "vpx_codec_encode");
  find(library->packet, "vpx_codec_get_cx_data");
  find(library->destroy, "vpx_codec_destroy");
  return is_whole ? library : nullptr;
}

}  // namespace spice::video
