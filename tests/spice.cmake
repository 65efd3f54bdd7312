# The connection half of spice/: wire, net, channel, server.
find_package(ZLIB REQUIRED)

minivmm_test(spice_wire
  SOURCES
    wire/captures_test.cpp
    wire/common_test.cpp
    wire/cursor_test.cpp
    wire/display_test.cpp
    wire/inputs_test.cpp
    wire/link_test.cpp
    wire/main_test.cpp
    wire/port_test.cpp
    wire/stream_test.cpp
  USES spice/wire
  LIBS ZLIB::ZLIB)
minivmm_test(spice_net
  SOURCES
    unit/spice/net/connection_test.cpp
    unit/spice/net/input_buffer_test.cpp
    unit/spice/net/rules_test.cpp
    unit/spice/net/stream_test.cpp
    unit/spice/net/tls_test.cpp
    unit/spice/net/websocket_test.cpp
  USES spice/net spice/server
  LIBS OpenSSL::SSL
  LABELS threads)
minivmm_test(spice_agent
  SOURCES
    unit/spice/agent/agent_test.cpp
    unit/spice/agent/guest_port_test.cpp
    unit/spice/agent/rules_test.cpp
  USES spice/agent spice/net
  LABELS threads)
minivmm_test(spice_channel
  SOURCES
    unit/spice/channel/inputs_test.cpp
    unit/spice/channel/main_test.cpp
    unit/spice/channel/pointer_test.cpp
    unit/spice/channel/port_test.cpp
    unit/spice/channel/rules_test.cpp
  USES spice/channel
  LABELS threads)
minivmm_test(spice_server
  SOURCES
    unit/spice/server/certificates_test.cpp
    unit/spice/server/cyrus_sasl_test.cpp
    unit/spice/server/failure_delay_test.cpp
    unit/spice/server/link_stage_test.cpp
    unit/spice/server/linking_test.cpp
    unit/spice/server/listen_test.cpp
    unit/spice/server/sasl_test.cpp
    unit/spice/server/server_test.cpp
    unit/spice/server/sessions_test.cpp
    unit/spice/server/transports_test.cpp
    unit/spice/server/viewer_file_test.cpp
  USES spice/server
  LIBS OpenSSL::SSL PkgConfig::sasl
  LABELS threads)

minivmm_fuzz(link RANDOM 60
  SOURCES fuzz/link.cpp
  USES spice/server)
minivmm_fuzz(sasl RANDOM 60
  SOURCES fuzz/sasl.cpp
  USES spice/server)
minivmm_fuzz(websocket RANDOM 60
  SOURCES fuzz/websocket.cpp
  USES spice/net)
minivmm_fuzz(agent RANDOM 60
  SOURCES fuzz/agent.cpp
  USES spice/agent
  LIBS asio)
minivmm_fuzz(channel RANDOM 60
  SOURCES fuzz/channel.cpp
  USES spice/channel
  LIBS asio)

# GCC 12 at -O2 takes the moved-out empty pointer inside a Result of the fixture for an object that is not on the heap.
set_source_files_properties(unit/spice/server/server_test.cpp PROPERTIES COMPILE_OPTIONS
  "$<$<CXX_COMPILER_ID:GNU>:-Wno-free-nonheap-object>")

if(MINIVMM_BENCH)
  foreach(client spice_client port_client)
    add_executable(${client} bench/${client}.cpp)
    target_link_libraries(${client} PRIVATE minivmm_flags spice_wire core_base OpenSSL::SSL OpenSSL::Crypto)
  endforeach()
endif()
