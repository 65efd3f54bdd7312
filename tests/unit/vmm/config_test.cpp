#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/config/command_line.h"
#include "vmm/config/key_values.h"
#include "vmm/config/options.h"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using vmm::config::MachineConfig;
using vmm::config::SpiceStreaming;

core::Result<MachineConfig> parse(const std::vector<std::string>& arguments) {
  auto parsed = vmm::config::parse_command_line(arguments);
  if (!parsed) return std::unexpected(parsed.error());
  if (!std::holds_alternative<MachineConfig>(*parsed)) return core::fail("asked for information");
  return std::get<MachineConfig>(*parsed);
}

std::string error_of(const std::vector<std::string>& arguments) {
  const auto parsed = parse(arguments);
  return parsed ? "" : parsed.error().message;
}

TEST(CommandLine, empty_gives_the_defaults) {
  const auto config = parse({});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->memory_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(config->cpus, 1u);
  EXPECT_FALSE(config->spice.enabled);
}

TEST(CommandLine, disk_takes_its_keys) {
  const auto config = parse({"--disk", "a.img,snapshot=on", "--disk", "b,,c.img,readonly"});
  ASSERT_TRUE(config);
  ASSERT_EQ(config->disks.size(), 2u);
  EXPECT_EQ(config->disks[0].path, "a.img");
  EXPECT_TRUE(config->disks[0].snapshot);
  EXPECT_EQ(config->disks[1].path, "b,c.img");
  EXPECT_TRUE(config->disks[1].read_only);
}

TEST(CommandLine, displays_take_their_keys) {
  const auto config = parse({"--qxl", "revision=4,vgamem_mb=32,max_outputs=2", "--qxl", "cmdlog=1"});
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->displays.size(), 2u);
  EXPECT_EQ(config->displays[0].revision, 4u);
  EXPECT_EQ(config->displays[0].vgamem_mb, 32u);
  EXPECT_EQ(config->displays[0].max_outputs, 2u);
  EXPECT_EQ(config->displays[1].revision, 5u);
  EXPECT_EQ(config->displays[1].cmdlog, 1u);
}

TEST(CommandLine, displays_are_recorded_into_a_file_each) {
  const auto config = parse({"--qxl", "record=a,,b.mv", "--qxl", "xres=800", "--qxl", "yres=600"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->displays[0].record, "a,b.mv");
  EXPECT_EQ(config->displays[1].record, "");
  EXPECT_THAT(vmm::config::problems(*config), testing::IsEmpty());
  const auto same = parse({"--qxl", "record=one.mv", "--qxl", "record=one.mv"});
  ASSERT_TRUE(same);
  EXPECT_THAT(vmm::config::problems(*same), testing::ElementsAre(HasSubstr("one.mv")));
}

TEST(Options, snapshot_is_for_every_disk_that_is_written_to) {
  const auto config = parse({"--disk", "a.img", "--snapshot", "--disk", "b.img,readonly=on", "--disk",
                             "c.img,snapshot=off", "--usb-device", "storage,file=d.img", "--usb-device", "keyboard"});
  EXPECT_TRUE(config->disks[0].snapshot);
  EXPECT_FALSE(config->disks[1].snapshot);
  EXPECT_TRUE(config->disks[2].snapshot);
  EXPECT_TRUE(config->usb.devices[0].snapshot);
  EXPECT_FALSE(config->usb.devices[1].snapshot);
  EXPECT_FALSE(parse({"--disk", "a.img"})->disks[0].snapshot);
}

TEST(Options, display_is_a_window_or_none) {
  EXPECT_FALSE(parse({})->window.enabled);
  EXPECT_FALSE(parse({"--display", "none"})->window.enabled);
  const auto usual = parse({"--display", "sdl"});
  EXPECT_TRUE(usual->window.enabled && usual->window.close_ends);
  EXPECT_FALSE(usual->window.full_screen || usual->window.shows_arrow);
  const auto other = parse({"--display", "sdl,full-screen=on,window-close=off,show-cursor=on,grab-mod=rctrl"});
  EXPECT_TRUE(other->window.full_screen && other->window.shows_arrow);
  EXPECT_FALSE(other->window.close_ends);
  EXPECT_EQ(other->window.grab_keys, vmm::config::GrabKeys::RightCtrl);
  for (const auto* wrong : {"gtk", "sdl,gl=on", "sdl,grab-mod=alt", "sdl,full-screen=2"})
    EXPECT_FALSE(parse({"--display", wrong}).has_value()) << wrong;
}

TEST(CommandLine, senseless_displays_are_refused) {
  EXPECT_THAT(error_of({"--qxl", "revision=6"}), HasSubstr("revision"));
  EXPECT_THAT(error_of({"--qxl", "colour=red"}), HasSubstr("unknown key"));
  EXPECT_THAT(error_of({"--qxl", "record="}), HasSubstr("record needs a file"));
  EXPECT_THAT(error_of({"--qxl", "xres=1", "--qxl", "xres=1", "--qxl", "xres=1", "--qxl", "xres=1", "--qxl", "xres=1"}),
              HasSubstr("at most 4"));
}

TEST(CommandLine, board_options_take_their_keys) {
  const auto config = parse({"--machine", "pc,hpet=off", "--rtc", "base=localtime,driftfix=none", "--pit",
                             "lost_tick_policy=discard", "--action", "panic=exit-failure"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->hpet);
  EXPECT_FALSE(config->rtc.makes_up);
  EXPECT_EQ(config->rtc.base, vmm::config::RtcBase::LocalTime);
  EXPECT_FALSE(config->pit_makes_up);
  EXPECT_EQ(config->on_panic, vmm::config::PanicAction::ExitFailure);
}

TEST(CommandLine, board_options_have_defaults) {
  const auto config = parse({});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->hpet);
  EXPECT_TRUE(config->rtc.makes_up);
  EXPECT_TRUE(config->pit_makes_up);
  EXPECT_EQ(config->on_panic, vmm::config::PanicAction::Pause);
}

TEST(CommandLine, board_options_with_unknown_values_are_refused_by_name) {
  EXPECT_THAT(error_of({"--machine", "q35"}), HasSubstr("--machine"));
  EXPECT_THAT(error_of({"--machine", "pc,usb=on"}), HasSubstr("\"usb\""));
  EXPECT_THAT(error_of({"--rtc", "driftfix=fast"}), HasSubstr("\"fast\""));
  EXPECT_THAT(error_of({"--pit", "delay"}), HasSubstr("\"delay\""));
  EXPECT_THAT(error_of({"--action", "panic=reset"}), HasSubstr("\"reset\""));
  EXPECT_THAT(error_of({"--action", "reboot=shutdown"}), HasSubstr("\"reboot\""));
}

TEST(CommandLine, usb_devices_have_ports_and_bring_usb) {
  using vmm::config::UsbKind;
  EXPECT_TRUE(parse({})->usb.enabled);
  EXPECT_FALSE(parse({"--usb", "off"})->usb.enabled);
  const auto config =
      parse({"--usb-device", "hub,port=2", "--usb-device", "storage,file=a,,b.img,port=2.3,readonly=on"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->usb.enabled);
  EXPECT_EQ(config->usb.devices[0].kind, UsbKind::Hub);
  EXPECT_EQ(config->usb.devices[1].path, "a,b.img");
  EXPECT_EQ(config->usb.devices[1].port, (std::vector<unsigned>{2, 3}));
  EXPECT_TRUE(config->usb.devices[1].read_only);
  EXPECT_THAT(error_of({"--usb-device", "camera"}), HasSubstr("\"camera\""));
  EXPECT_THAT(error_of({"--usb-device", "storage"}), HasSubstr("file"));
  EXPECT_THAT(error_of({"--usb-device", "tablet,file=x"}), HasSubstr("\"file\""));
  EXPECT_THAT(error_of({"--usb-device", "tablet,port=9"}), HasSubstr("port"));
  EXPECT_THAT(error_of({"--usb", "on,controllers=xhci"}), HasSubstr("xhci"));
}

TEST(CommandLine, drives_choose_their_interface) {
  using vmm::config::DiskInterface;
  const auto config = parse({"--disk", "a.img", "--disk", "b.img,if=ahci", "--cdrom", "c.iso,if=ahci"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->disks[0].interface, DiskInterface::Ide);
  EXPECT_EQ(config->disks[1].interface, DiskInterface::Ahci);
  EXPECT_EQ(config->cdrom->path, "c.iso");
  EXPECT_EQ(config->cdrom->interface, DiskInterface::Ahci);
  EXPECT_EQ(parse({"--cdrom", ""})->cdrom->path, "");
  EXPECT_EQ(parse({"--disk", "a.img,if=virtio"})->disks[0].interface, DiskInterface::Virtio);
  EXPECT_THAT(error_of({"--cdrom", "a.iso,if=virtio"}), HasSubstr("not on virtio"));
  EXPECT_THAT(error_of({"--disk", "a.img,if=scsi"}), HasSubstr("give ide, ahci or virtio"));
  EXPECT_THAT(error_of({"--cdrom", "a.iso,snapshot"}), HasSubstr("unknown key \"snapshot\""));
}

TEST(CommandLine, each_controller_has_so_many_places) {
  const std::string ide = "a.img";
  const std::string ahci = "a.img,if=ahci";
  const auto found = [](const std::vector<std::string>& disks, const std::string& cdrom) {
    std::vector<std::string> arguments{"--cdrom", cdrom};
    for (const auto& disk : disks)
      arguments.insert(arguments.end(), {"--disk", disk});
    return vmm::config::problems(*parse(arguments)).size();
  };
  EXPECT_EQ(found({ide, ide, ide, ahci, ahci, ahci, ahci, ahci, ahci}, "c.iso"), 0u);
  EXPECT_EQ(found({ide, ide, ide, ide}, "c.iso"), 1u);
  EXPECT_EQ(found({ide, ide, ide, ide}, "c.iso,if=ahci"), 0u);
  EXPECT_EQ(found({ahci, ahci, ahci, ahci, ahci, ahci}, "c.iso,if=ahci"), 1u);
}

TEST(CommandLine, disk_with_unknown_key_is_refused_by_name) {
  EXPECT_THAT(error_of({"--disk", "a.img,cache=none"}), HasSubstr("unknown key \"cache\""));
}

TEST(CommandLine, unknown_option_points_to_help) {
  EXPECT_THAT(error_of({"--dsik", "a"}), HasSubstr("--dsik"));
  EXPECT_THAT(error_of({"--dsik", "a"}), HasSubstr("--help"));
}

TEST(CommandLine, option_without_its_value_is_refused) {
  EXPECT_NE(error_of({"--disk"}), "");
}

TEST(CommandLine, single_option_given_twice_is_refused) {
  EXPECT_THAT(error_of({"--memory", "1G", "--memory", "2G"}), HasSubstr("2 times"));
}

TEST(CommandLine, memory_takes_suffixes_and_limits) {
  EXPECT_EQ(parse({"--memory", "512"})->memory_bytes, std::uint64_t{512} << 20);
  EXPECT_EQ(parse({"--memory", "2G"})->memory_bytes, std::uint64_t{2} << 30);
  EXPECT_NE(error_of({"--memory", "2T"}), "");
  EXPECT_NE(error_of({"--memory", "0"}), "");
  EXPECT_NE(error_of({"--memory", "99999999999999999999T"}), "");
}

TEST(CommandLine, cpu_takes_a_model_and_nothing_by_default) {
  EXPECT_EQ(parse({})->cpu, "");
  EXPECT_EQ(parse({"--cpu", "pentium3"})->cpu, "pentium3");
  EXPECT_EQ(parse({"--cpu", "help"})->cpu, "help");
  EXPECT_THAT(error_of({"--cpu", ""}), HasSubstr("--cpu help"));
}

TEST(CommandLine, boot_order_and_menu) {
  const auto config = parse({"--boot", "order=dc,menu=on"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->boot_order, "dc");
  EXPECT_TRUE(config->boot_menu);
  EXPECT_EQ(parse({"--boot", "d"})->boot_order, "d");
  EXPECT_TRUE(parse({"--boot", "menu=on"})->boot_menu);
  EXPECT_NE(error_of({"--boot", "x"}), "");
}

TEST(CommandLine, uuid_is_checked) {
  const auto config = parse({"--uuid", "01234567-89ab-cdef-0123-456789ABCDEF"});
  ASSERT_TRUE(config);
  EXPECT_EQ((*config->uuid)[0], 0x01);
  EXPECT_EQ((*config->uuid)[15], 0xef);
  EXPECT_NE(error_of({"--uuid", "0123456789abcdef0123456789abcdef"}), "");
  EXPECT_NE(error_of({"--uuid", ""}), "");
}

TEST(SpiceOption, bare_port_is_port) {
  const auto config = parse({"--spice", "3001"});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->spice.enabled);
  EXPECT_EQ(config->spice.port, 3001);
}

TEST(SpiceOption, what_the_agent_may) {
  const auto config = parse({"--spice", "port=1,disable-copy-paste,disable-agent-file-xfer=on,agent-mouse=off"});
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->spice.copy_paste);
  EXPECT_FALSE(config->spice.file_transfer);
  EXPECT_FALSE(config->spice.agent_mouse);
}

TEST(SpicePorts, agent_and_folders_come_with_spice) {
  EXPECT_FALSE(parse({})->has_agent());
  EXPECT_THAT(parse({})->spice_channel_ports(), ElementsAre());
  EXPECT_TRUE(parse({"--spice", "1"})->has_agent());
  EXPECT_THAT(parse({"--spice", "1"})->spice_channel_ports(), ElementsAre("org.spice-space.webdav.0"));
  const auto off = parse({"--spice", "1", "--agent", "off", "--webdav", "off"});
  EXPECT_FALSE(off->has_agent());
  EXPECT_THAT(off->spice_channel_ports(), ElementsAre());
}

TEST(SpicePorts, named_ones_are_channels) {
  const auto config = parse({"--spice", "1", "--spiceport", "a", "--spiceport", "org.spice-space.webdav.0"});
  ASSERT_TRUE(config);
  EXPECT_THAT(config->spice_channel_ports(), ElementsAre("a", "org.spice-space.webdav.0"));
  EXPECT_THAT(error_of({"--spiceport", "a", "--spiceport", "a"}), HasSubstr("two ports"));
  EXPECT_THAT(error_of({"--spiceport", "com.redhat.spice.0"}), HasSubstr("--agent"));
  EXPECT_THAT(error_of({"--spiceport", ""}), HasSubstr("needs a name"));
}

TEST(SpicePorts, a_port_of_the_users_own_takes_the_place_of_ours) {
  const auto config = parse({"--spice", "1", "--virtio-port", "com.redhat.spice.0=unix:/a"});
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->has_agent());
  EXPECT_THAT(vmm::config::problems(*config), ElementsAre());
  const auto both = parse({"--spice", "1", "--agent", "on", "--virtio-port", "com.redhat.spice.0=unix:/a"});
  EXPECT_THAT(vmm::config::problems(*both), ElementsAre(HasSubstr("two ports")));
}

TEST(SpicePorts, without_spice_there_is_nobody_behind_them) {
  EXPECT_THAT(vmm::config::problems(*parse({"--agent", "on"})), ElementsAre("--agent needs --spice"));
  EXPECT_THAT(vmm::config::problems(*parse({"--spiceport", "a"})),
              ElementsAre("--spiceport and --webdav need --spice"));
}

TEST(SpiceOption, every_name_of_qemu_is_known) {
  for (const auto* name : {"port",
                           "tls-port",
                           "addr",
                           "ipv4",
                           "ipv6",
                           "unix",
                           "password",
                           "password-secret",
                           "disable-ticketing",
                           "disable-copy-paste",
                           "disable-agent-file-xfer",
                           "sasl",
                           "x509-dir",
                           "x509-key-file",
                           "x509-key-password",
                           "x509-cert-file",
                           "x509-cacert-file",
                           "x509-dh-key-file",
                           "tls-ciphers",
                           "tls-channel",
                           "plaintext-channel",
                           "image-compression",
                           "jpeg-wan-compression",
                           "zlib-glz-wan-compression",
                           "streaming-video",
                           "agent-mouse",
                           "playback-compression",
                           "seamless-migration",
                           "display",
                           "head",
                           "gl",
                           "rendernode"}) {
    const auto error = error_of({"--spice", fmt::format("port=1,{}=bogus", name)});
    EXPECT_THAT(error, testing::Not(HasSubstr("unknown key"))) << name;
  }
}

TEST(SpiceOption, tls_port_with_the_files_of_a_directory) {
  const auto config = parse({"--spice", "tls-port=5901,x509-dir=/pki,x509-cert-file=/chain.pem,tls-ciphers=A:B"});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->spice.enabled);
  EXPECT_EQ(config->spice.port, 0);
  EXPECT_EQ(config->spice.tls_port, 5901);
  EXPECT_EQ(config->spice.tls.key_file, "/pki/server-key.pem");
  EXPECT_EQ(config->spice.tls.certificate_file, "/chain.pem");
  EXPECT_EQ(config->spice.tls.ca_file, "/pki/ca-cert.pem");
  EXPECT_EQ(config->spice.tls.ciphers, "A:B");
  const auto without_ca = parse({"--spice", "tls-port=1,x509-key-file=k,x509-cert-file=c"});
  ASSERT_TRUE(without_ca);
  EXPECT_EQ(without_ca->spice.tls.ca_file, "");
  EXPECT_THAT(error_of({"--spice", "tls-port=5901"}), HasSubstr("gen-certs"));
  EXPECT_NE(error_of({"--spice", "port=1,tls-port=1,x509-dir=/pki"}), "");
}

TEST(SpiceOption, channels_are_told_their_transport) {
  const auto config =
      parse({"--spice", "port=1,tls-port=2,x509-dir=d,tls-channel=main,tls-channel=inputs,plaintext-channel=default"});
  ASSERT_TRUE(config);
  ASSERT_EQ(config->spice.security.size(), 3U);
  EXPECT_EQ(config->spice.security[1].channel, "inputs");
  EXPECT_TRUE(config->spice.security[1].tls);
  EXPECT_FALSE(config->spice.security[2].tls);
  EXPECT_THAT(error_of({"--spice", "port=1,tls-channel=main"}), HasSubstr("tls-port"));
  EXPECT_THAT(error_of({"--spice", "port=1,plaintext-channel=sound"}), HasSubstr("sound"));
  EXPECT_THAT(error_of({"--spice", "tls-port=1,x509-dir=d,plaintext-channel=main"}), HasSubstr("needs a port"));
}

TEST(SpiceOption, unix_sockets_and_given_ones) {
  for (const auto* text : {"unix=on,addr=/run/guest", "unix:/run/guest"}) {
    const auto config = parse({"--spice", text});
    ASSERT_TRUE(config) << text;
    EXPECT_TRUE(config->spice.unix_socket);
    EXPECT_EQ(config->spice.addr, "/run/guest");
  }
  EXPECT_NE(error_of({"--spice", "unix=on"}), "");
  EXPECT_NE(error_of({"--spice", "unix=on,addr=/run/guest,port=1"}), "");
  const auto given = parse({"--spice", "listen-fd=3,tls-listen-fd=4,x509-dir=d"});
  ASSERT_TRUE(given);
  EXPECT_EQ(given->spice.listen_fd, 3);
  EXPECT_EQ(given->spice.tls_listen_fd, 4);
  EXPECT_NE(error_of({"--spice", "listen-fd=2"}), "");
  EXPECT_NE(error_of({"--spice", "listen-fd=3,tls-listen-fd=3,x509-dir=d"}), "");
}

TEST(SpiceOption, gen_certs_stands_alone) {
  const auto config = parse({"--spice", "gen-certs=/pki"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->spice.make_certificates, "/pki");
  EXPECT_FALSE(config->spice.enabled);
  EXPECT_NE(error_of({"--spice", "gen-certs=/pki,port=1"}), "");
}

TEST(SpiceOption, passwords_are_not_repeated) {
  EXPECT_NE(error_of({"--spice", "port=1,password-secret=/f,password=x"}), "");
  EXPECT_NE(error_of({"--spice", "port=1,password-secret=/f,disable-ticketing"}), "");
  for (const auto* text :
       {"port=1,password=open,sesame", "port=1,password=sesame,=1", "port=1,password=sesame,open=2"}) {
    EXPECT_NE(error_of({"--spice", text}), "");
    EXPECT_THAT(error_of({"--spice", text}), testing::Not(HasSubstr("sesame"))) << text;
  }
}

std::string hidden(std::string option, std::string value) {
  std::string program = "minivmm";
  std::array<char*, 3> arguments{program.data(), option.data(), value.data()};
  vmm::config::hide_passwords(arguments);
  return option + " " + value;
}

TEST(HidePasswords, only_their_values_go) {
  EXPECT_EQ(hidden("--spice", "port=1,password=secret,addr=x"), "--spice port=1,password=******,addr=x");
  EXPECT_EQ(hidden("--spice", "password=a,,b,port=1"), "--spice password=****,port=1");
  EXPECT_EQ(hidden("--spice", "tls-port=1,x509-key-password=k"), "--spice tls-port=1,x509-key-password=*");
  EXPECT_EQ(hidden("--spice=port=1,password=p", "x"), "--spice=port=1,password=* x");
  EXPECT_EQ(hidden("--append", "password=kept"), "--append password=kept");
  EXPECT_EQ(hidden("--spice", "port=1,password-secret=/f"), "--spice port=1,password-secret=/f");
}

TEST(SpiceOption, sasl_is_a_switch) {
  EXPECT_FALSE(parse({"--spice", "port=1"})->spice.sasl);
  EXPECT_TRUE(parse({"--spice", "port=1,sasl=on,disable-ticketing=on"})->spice.sasl);
  EXPECT_FALSE(parse({"--spice", "port=1,sasl=off"})->spice.sasl);
  EXPECT_NE(error_of({"--spice", "port=1,sasl=x"}), "");
}

TEST(SpiceOption, compression_of_pictures) {
  using vmm::config::SpiceCompression, vmm::config::SpiceOnSlowLines;
  const auto plain = parse({"--spice", "port=1"})->spice.pictures;
  EXPECT_EQ(plain.compression, SpiceCompression::AutoGlz);
  EXPECT_EQ(plain.jpeg, SpiceOnSlowLines::Auto);
  EXPECT_EQ(plain.zlib_glz, SpiceOnSlowLines::Auto);
  const auto chosen =
      parse({"--spice", "port=1,image-compression=quic,jpeg-wan-compression=always,zlib-glz-wan-compression=never"})
          ->spice.pictures;
  EXPECT_EQ(chosen.compression, SpiceCompression::Quic);
  EXPECT_EQ(chosen.jpeg, SpiceOnSlowLines::Always);
  EXPECT_EQ(chosen.zlib_glz, SpiceOnSlowLines::Never);
  EXPECT_THAT(error_of({"--spice", "port=1,image-compression=zip"}),
              HasSubstr("image-compression=zip: give auto_glz, auto_lz, quic, glz, lz, lz4 or off"));
  EXPECT_THAT(error_of({"--spice", "port=1,jpeg-wan-compression=on"}), HasSubstr("give auto, never or always"));
}

TEST(SpiceOption, what_is_not_built_is_refused_by_name) {
  EXPECT_THAT(error_of({"--spice", "port=1,seamless-migration=on"}), HasSubstr("seamless-migration=on: not built yet"));
  EXPECT_EQ(error_of({"--spice", "port=1,seamless-migration=off"}), "");
}

TEST(SpiceOption, streaming_and_its_codecs) {
  EXPECT_EQ(parse({"--spice", "port=1"})->spice.pictures.streaming, SpiceStreaming::Off);
  const auto config = parse({"--spice", "port=1,streaming-video=filter,video-codecs=gstreamer:vp8;spice:mjpeg"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->spice.pictures.streaming, SpiceStreaming::Filter);
  EXPECT_EQ(config->spice.video_codecs, "gstreamer:vp8;spice:mjpeg");
  EXPECT_EQ(parse({"--spice", "port=1,streaming-video=all"})->spice.pictures.streaming, SpiceStreaming::All);
  EXPECT_THAT(error_of({"--spice", "port=1,streaming-video=on"}), HasSubstr("off, filter or all"));
}

TEST(SpiceOption, contradictions_and_missing_port_are_refused) {
  EXPECT_NE(error_of({"--spice", "password=x"}), "");
  EXPECT_NE(error_of({"--spice", "port=1,password=x,disable-ticketing=on"}), "");
  EXPECT_NE(error_of({"--spice", "port=1,ipv4=on,ipv6=on"}), "");
  EXPECT_NE(error_of({"--spice", "port=70000"}), "");
  EXPECT_NE(error_of({"--spice", "port=1,password=" + std::string(61, 'x')}), "");
}

TEST(Problems, stdio_has_one_user) {
  const auto config = parse({"--serial", "stdio", "--monitor", "stdio"});
  ASSERT_TRUE(config);
  EXPECT_THAT(vmm::config::problems(*config), ElementsAre(HasSubstr("both want stdio")));
}

TEST(Problems, all_are_reported_at_once) {
  const auto config = parse({"--initrd", "a", "--append", "b"});
  ASSERT_TRUE(config);
  EXPECT_EQ(vmm::config::problems(*config).size(), 2u);
}

TEST(Help, names_every_option) {
  const auto text = vmm::config::help_text();
  const auto page = vmm::config::manual_page();
  for (const auto& option : vmm::config::options()) {
    EXPECT_THAT(text, HasSubstr(std::string(option.name)));
    EXPECT_FALSE(option.help.empty());
  }
  EXPECT_THAT(page, HasSubstr(".SH OPTIONS"));
}

TEST(KeyValues, split_handles_doubled_commas_and_switches) {
  const auto pairs = vmm::config::split_key_values("a,,b,x=1,,2,y", "file");
  ASSERT_TRUE(pairs);
  ASSERT_EQ(pairs->size(), 3u);
  EXPECT_EQ((*pairs)[0].value, "a,b");
  EXPECT_EQ((*pairs)[1].value, "1,2");
  EXPECT_EQ((*pairs)[2].value, "on");
  EXPECT_FALSE(vmm::config::split_key_values("a,=1", "file"));
}

}  // namespace
