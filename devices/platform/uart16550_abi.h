// [PC16550D: National Semiconductor PC16550D, June 1995, table II] registers by offset from the base port.
#pragma once

#include <cstdint>

namespace devices::platform::uart_abi {

constexpr std::uint64_t RBR = 0;  // read; THR when written; divisor latch low with DLAB
constexpr std::uint64_t IER = 1;  // divisor latch high with DLAB
constexpr std::uint64_t IIR = 2;  // read; FCR when written
constexpr std::uint64_t LCR = 3;
constexpr std::uint64_t MCR = 4;
constexpr std::uint64_t LSR = 5;
constexpr std::uint64_t MSR = 6;
constexpr std::uint64_t SCR = 7;

// [8.5] interrupt enable
constexpr std::uint8_t IER_RDA = 1 << 0;
constexpr std::uint8_t IER_THRE = 1 << 1;
constexpr std::uint8_t IER_RLS = 1 << 2;
constexpr std::uint8_t IER_MS = 1 << 3;
constexpr std::uint8_t IER_BITS = 0x0f;

// [8.4, table IV] interrupt identification, highest priority first
constexpr std::uint8_t IIR_RLS = 0x06;
constexpr std::uint8_t IIR_RDA = 0x04;
constexpr std::uint8_t IIR_CTI = 0x0c;
constexpr std::uint8_t IIR_THRE = 0x02;
constexpr std::uint8_t IIR_MS = 0x00;
constexpr std::uint8_t IIR_NONE = 0x01;
constexpr std::uint8_t IIR_FIFOS = 0xc0;

// [8.3] FIFO control
constexpr std::uint8_t FCR_ENABLE = 1 << 0;
constexpr std::uint8_t FCR_RX_RESET = 1 << 1;
constexpr std::uint8_t FCR_DMA = 1 << 3;
constexpr std::uint8_t FCR_TRIGGER = 0xc0;

// [8.1] line control
constexpr std::uint8_t LCR_LENGTH = 0x03;
constexpr std::uint8_t LCR_STOP = 1 << 2;
constexpr std::uint8_t LCR_PARITY = 1 << 3;
constexpr std::uint8_t LCR_DLAB = 1 << 7;

// [8.6] modem control
constexpr std::uint8_t MCR_DTR = 1 << 0;
constexpr std::uint8_t MCR_RTS = 1 << 1;
constexpr std::uint8_t MCR_OUT1 = 1 << 2;
constexpr std::uint8_t MCR_OUT2 = 1 << 3;  // on a PC: the interrupt reaches its IRQ
constexpr std::uint8_t MCR_LOOP = 1 << 4;
constexpr std::uint8_t MCR_BITS = 0x1f;

// [8.4] line status
constexpr std::uint8_t LSR_DR = 1 << 0;
constexpr std::uint8_t LSR_OE = 1 << 1;
constexpr std::uint8_t LSR_THRE = 1 << 5;
constexpr std::uint8_t LSR_TEMT = 1 << 6;

// [8.7] modem status
constexpr std::uint8_t MSR_DCTS = 1 << 0;
constexpr std::uint8_t MSR_DDSR = 1 << 1;
constexpr std::uint8_t MSR_TERI = 1 << 2;
constexpr std::uint8_t MSR_DDCD = 1 << 3;
constexpr std::uint8_t MSR_CTS = 1 << 4;
constexpr std::uint8_t MSR_DSR = 1 << 5;
constexpr std::uint8_t MSR_RI = 1 << 6;
constexpr std::uint8_t MSR_DCD = 1 << 7;
constexpr std::uint8_t MSR_DELTAS = 0x0f;

constexpr std::uint64_t kPorts = 8;
constexpr unsigned kFifoBytes = 16;
constexpr std::uint32_t kBaseBaud = 115'200;  // 1.8432 MHz / 16: the rate of divisor 1

}  // namespace devices::platform::uart_abi
