# minivmm_guest(name SOURCES ... [INCLUDES ...] [REAL_MODE]): see README.md. Built by the host's tools, outside the project's flags.
include_guard(DIRECTORY)
set(MINIVMM_GUEST_DIR ${CMAKE_BINARY_DIR}/guests)
set(MINIVMM_BARE_DIR ${CMAKE_CURRENT_LIST_DIR})
find_program(MINIVMM_LD ld REQUIRED)
find_program(MINIVMM_OBJCOPY objcopy REQUIRED)
file(MAKE_DIRECTORY ${MINIVMM_GUEST_DIR})

function(minivmm_guest name)
  cmake_parse_arguments(G "REAL_MODE" "" "SOURCES;INCLUDES" ${ARGN})
  set(flags -O2 -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector -fno-pic -fno-pie -mcmodel=small
    -mno-avx -fcf-protection=none -fno-asynchronous-unwind-tables -fno-threadsafe-statics -Wall -Wextra -Werror
    -I${CMAKE_SOURCE_DIR})
  foreach(folder IN LISTS G_INCLUDES)
    list(APPEND flags -isystem ${folder})
  endforeach()
  set(sources ${MINIVMM_BARE_DIR}/boot_sector.S ${G_SOURCES})
  if(NOT G_REAL_MODE)
    list(APPEND sources ${MINIVMM_BARE_DIR}/start.S ${MINIVMM_BARE_DIR}/bare.cpp)
  endif()
  set(objects)
  foreach(source IN LISTS sources)
    get_filename_component(base ${source} NAME)
    get_filename_component(source ${source} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
    set(object ${MINIVMM_GUEST_DIR}/${name}.${base}.o)
    set(standard)
    if(source MATCHES "\\.cpp$")
      set(standard -std=c++23)
    endif()
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_CXX_COMPILER} ${standard} ${flags} -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source} ${MINIVMM_BARE_DIR}/bare.h DEPFILE ${object}.d VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(out ${MINIVMM_GUEST_DIR}/${name})
  add_custom_command(OUTPUT ${out}.bin ${out}.img
    COMMAND ${MINIVMM_LD} -m elf_x86_64 -static -nostdlib -z noexecstack --no-warn-rwx-segments --defsym=entry=0x8000
            -e entry -T ${MINIVMM_BARE_DIR}/link.ld -o ${out}.elf ${objects}
    COMMAND ${MINIVMM_OBJCOPY} -O binary -j .image ${out}.elf ${out}.bin
    COMMAND ${MINIVMM_OBJCOPY} -O binary -j .mbr -j .pad -j .image --gap-fill 0 --pad-to 0x100000 ${out}.elf ${out}.img
    DEPENDS ${objects} ${MINIVMM_BARE_DIR}/link.ld VERBATIM)
  add_custom_target(guest_${name} ALL DEPENDS ${out}.bin)
endfunction()
