// The machine as ACPI describes it: what is the same in every machine. What depends on a machine's parameters (PCI
// windows, processors, serial ports, HPET) is in the SSDT that acpi_ssdt.cpp writes. [ACPI 6.4; Windows XP understands 1.0b]
//
// The C preprocessor runs first: Debian's iasl has no macros with arguments.
//
// Missing on purpose: standby (S1, S2), hot-plug and with it handlers of general-purpose events. The power button is fixed hardware.

DefinitionBlock ("", "DSDT", 1, "MINIVM", "MINIVMM ", 1)
{
    // [PIIX4 7.2.3] SUS_TYP: 0 is soft-off, 2 (hibernated to disk) ends the same way; 1 is suspend to RAM. firmware/acpi.h
    // tells the BIOS the same.
    Name (\_S3, Package () { 1, 1, 0, 0 })
    Name (\_S4, Package () { 2, 2, 0, 0 })
    Name (\_S5, Package () { 0, 0, 0, 0 })

    Scope (\_GPE)
    {
        Name (_HID, "ACPI0006")
    }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)

            // Pin A of slot n goes to link (n + 3) % 4 as on every PIIX board; slot 1 pin A carries the SCI.
            Name (_PRT, Package ()
            {
#define ROUTE(address, pin, link) Package () { address, pin, link, 0 }
#define SLOT(address, a, b, c, d) ROUTE (address, 0, a), ROUTE (address, 1, b), ROUTE (address, 2, c), ROUTE (address, 3, d)
#define SLOT_D(address) SLOT (address, LNKD, LNKA, LNKB, LNKC)
#define SLOT_A(address) SLOT (address, LNKA, LNKB, LNKC, LNKD)
#define SLOT_B(address) SLOT (address, LNKB, LNKC, LNKD, LNKA)
#define SLOT_C(address) SLOT (address, LNKC, LNKD, LNKA, LNKB)
                SLOT_D (0x0000FFFF),
                SLOT (0x0001FFFF, LNKS, LNKB, LNKC, LNKD),
                SLOT_B (0x0002FFFF),
                SLOT_C (0x0003FFFF),
                SLOT_D (0x0004FFFF),
                SLOT_A (0x0005FFFF),
                SLOT_B (0x0006FFFF),
                SLOT_C (0x0007FFFF),
                SLOT_D (0x0008FFFF),
                SLOT_A (0x0009FFFF),
                SLOT_B (0x000AFFFF),
                SLOT_C (0x000BFFFF),
                SLOT_D (0x000CFFFF),
                SLOT_A (0x000DFFFF),
                SLOT_B (0x000EFFFF),
                SLOT_C (0x000FFFFF),
                SLOT_D (0x0010FFFF),
                SLOT_A (0x0011FFFF),
                SLOT_B (0x0012FFFF),
                SLOT_C (0x0013FFFF),
                SLOT_D (0x0014FFFF),
                SLOT_A (0x0015FFFF),
                SLOT_B (0x0016FFFF),
                SLOT_C (0x0017FFFF),
                SLOT_D (0x0018FFFF),
                SLOT_A (0x0019FFFF),
                SLOT_B (0x001AFFFF),
                SLOT_C (0x001BFFFF),
                SLOT_D (0x001CFFFF),
                SLOT_A (0x001DFFFF),
                SLOT_B (0x001EFFFF),
                SLOT_C (0x001FFFFF)
            })

            Device (ISA)
            {
                Name (_ADR, 0x00010000)

                // [PIIX3 2.2.6] PIRQRC: bit 7 set means not routed, bits 0-3 the ISA interrupt.
                OperationRegion (PIRQ, PCI_Config, 0x60, 4)
                Field (PIRQ, ByteAcc, NoLock, Preserve)
                {
                    PRQA, 8,
                    PRQB, 8,
                    PRQC, 8,
                    PRQD, 8
                }

                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x60, 0x60, 1, 1)
                        IO (Decode16, 0x64, 0x64, 1, 1)
                        IRQNoFlags () { 1 }
                    })
                }

                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Name (_CRS, ResourceTemplate () { IRQNoFlags () { 12 } })
                }

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x70, 0x70, 1, 4)
                        IRQNoFlags () { 8 }
                    })
                }

                Device (PIT)
                {
                    Name (_HID, EisaId ("PNP0100"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x40, 0x40, 1, 4)
                        IRQNoFlags () { 0 }
                    })
                }

                Device (SPKR)
                {
                    Name (_HID, EisaId ("PNP0800"))
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x61, 0x61, 1, 1) })
                }

                // Ports that belong to the board: nobody may put a device there.
                Device (MBRD)
                {
                    Name (_HID, EisaId ("PNP0C02"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x92, 0x92, 1, 1)
                        IO (Decode16, 0xB2, 0xB2, 1, 2)
                        IO (Decode16, 0x402, 0x402, 1, 1)
                        IO (Decode16, 0x600, 0x600, 1, 0x40)
                        IO (Decode16, 0x700, 0x700, 1, 0x10)
                        IO (Decode16, 0xAFE0, 0xAFE0, 1, 4)
                    })
                }

                // [QEMU docs/specs/pvpanic.rst] Drivers call these methods or take the port from _CRS.
                Device (PEVT)
                {
                    Name (_HID, "QEMU0001")
                    Name (_STA, 0x0B)
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x505, 0x505, 1, 1) })
                    OperationRegion (PEOR, SystemIO, 0x505, 1)
                    Field (PEOR, ByteAcc, NoLock, Preserve) { PEPT, 8 }
                    Method (RDPT) { Return (PEPT) }
                    Method (WRPT, 1) { Store (Arg0, PEPT) }
                }

                // Found by Linux's qemu_fw_cfg under this name.
                Device (FWCF)
                {
                    Name (_HID, "QEMU0002")
                    Name (_STA, 0x0B)
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x510, 0x510, 1, 0x0C) })
                }
            }
        }

        // The four PIRQ wires. An ISA interrupt is level-triggered and shared when a link drives it.
#define LINK_INTERRUPTS Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 }
#define LINK(name, uid, route) \
        Device (name) \
        { \
            Name (_HID, EisaId ("PNP0C0F")) \
            Name (_UID, uid) \
            Name (_PRS, ResourceTemplate () { LINK_INTERRUPTS }) \
            Method (_STA) { Return (LSTA (route)) } \
            Method (_DIS) { Or (route, 0x80, route) } \
            Method (_CRS) { Return (LCRS (route)) } \
            Method (_SRS, 1) \
            { \
                CreateDWordField (Arg0, 5, IRQW) \
                Store (IRQW, route) \
            } \
        }

        // Present; enabled unless the route's bit 7 says otherwise.
        Method (LSTA, 1)
        {
            If (And (0x80, Arg0)) { Return (0x09) }
            Return (0x0B)
        }

        Method (LCRS, 1, Serialized)
        {
            Name (BUFF, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 0 }
            })
            CreateDWordField (BUFF, 5, IRQW)
            If (LNot (And (0x80, Arg0))) { Store (Arg0, IRQW) }
            Return (BUFF)
        }

        LINK (LNKA, 0, \_SB.PCI0.ISA.PRQA)
        LINK (LNKB, 1, \_SB.PCI0.ISA.PRQB)
        LINK (LNKC, 2, \_SB.PCI0.ISA.PRQC)
        LINK (LNKD, 3, \_SB.PCI0.ISA.PRQD)

        // The power management function's pin A is wired to the SCI.
        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 9 }
            })
            Method (_STA) { Return (0x0B) }
            Method (_DIS) { }
            Method (_CRS) { Return (_PRS) }
            Method (_SRS, 1) { }
        }
    }
}
