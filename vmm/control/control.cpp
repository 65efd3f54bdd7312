#include "vmm/control/control.h"

#include <algorithm>
#include <vector>

#include "vmm/control/endpoint.h"
#include "vmm/control/hmp.h"
#include "vmm/control/qmp.h"
#include "vmm/machine/machine.h"

namespace vmm::control {

struct Control::Impl {
  explicit Impl(machine::Machine& owner)
      : typist(owner.control_loop(), owner.keyboard()),
        mouse(owner.mouse()),
        machine(owner),
        context{owner, typist, mouse} {}

  // A QMP session that is told of events for as long as it lives.
  class Subscribed final : public Session {
   public:
    Subscribed(Impl& owner, Output& output) : owner_(owner), session_(owner.context, output) {
      owner_.subscribers.push_back(&session_);
    }
    ~Subscribed() override { std::erase(owner_.subscribers, &session_); }
    std::string greeting() override { return session_.greeting(); }
    bool receive(std::string_view bytes) override { return session_.receive(bytes); }
    void receive_descriptor(core::Fd descriptor) override { session_.receive_descriptor(std::move(descriptor)); }

   private:
    Impl& owner_;
    QmpSession session_;
  };

  Typist typist;
  Mouse mouse;
  machine::Machine& machine;
  Context context;
  std::vector<QmpSession*> subscribers;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
};

core::Result<std::unique_ptr<Control>> Control::create(const config::MachineConfig& config, machine::Machine& machine) {
  auto impl = std::make_unique<Impl>(machine);
  auto* self = impl.get();
  if (!config.monitor.empty()) {
    auto endpoint = open_endpoint(machine.control_loop(), config.monitor, [self](Output& output) {
      return std::make_unique<HmpSession>(self->context, output);
    });
    if (!endpoint) return core::fail_with("--monitor", endpoint);
    impl->endpoints.push_back(std::move(*endpoint));
  }
  if (!config.qmp.empty()) {
    auto endpoint = open_endpoint(machine.control_loop(), config.qmp,
                                  [self](Output& output) { return std::make_unique<Impl::Subscribed>(*self, output); });
    if (!endpoint) return core::fail_with("--qmp", endpoint);
    impl->endpoints.push_back(std::move(*endpoint));
  }
  machine.add_listener([self](const machine::Event& event) {
    for (auto* session : self->subscribers)
      session->notify(event);
  });
  return std::unique_ptr<Control>(new Control(std::move(impl)));
}

Control::Control(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Control::~Control() = default;

void Control::serve() {
  impl_->machine.control_loop().post([impl = impl_.get()] {
    for (const auto& endpoint : impl->endpoints)
      endpoint->serve();
  });
}

}  // namespace vmm::control
