# One file a line, sorted.
minivmm_test(devices_block
  SOURCES
    device/block/ahci_cdrom_test.cpp
    device/block/ahci_disk_test.cpp
    device/block/ahci_port_test.cpp
    device/block/ahci_state_test.cpp
    device/block/ata_disk_test.cpp
    device/block/ata_dma_test.cpp
    device/block/atapi_cdrom_test.cpp
    device/block/ide_state_test.cpp
    device/block/images_test.cpp
  USES devices/block
  TIMEOUT 900)
minivmm_test(devices_block_threads
  SOURCES
    device/block/io_threads_test.cpp
  USES devices/block
  LABELS threads)
minivmm_fuzz(ahci
  SOURCES
    fuzz/ahci.cpp
  USES devices/block
  LIBS GTest::gtest)
minivmm_fuzz(ide
  SOURCES
    fuzz/ide.cpp
  USES devices/block
  LIBS GTest::gtest)
if(MINIVMM_BENCH)
  find_package(benchmark REQUIRED)
  add_executable(block_bench bench/block_bench.cpp)
  target_link_libraries(block_bench PRIVATE minivmm_flags devices_block benchmark::benchmark)
endif()
