# One file a line, sorted.
minivmm_test(devices_virtio
  SOURCES
    device/virtio/virtio_blk_test.cpp
    device/virtio/virtio_console_test.cpp
    device/virtio/virtio_doorbell_test.cpp
    device/virtio/virtio_pci_test.cpp
    device/virtio/virtio_rng_balloon_test.cpp
  USES devices/virtio)
minivmm_fuzz(virtio
  SOURCES
    fuzz/virtio.cpp
  USES devices/virtio
  LIBS GTest::gtest)
