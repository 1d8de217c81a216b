# SPDX-License-Identifier: MIT
"""Is the trace of several CPUs whole? Each line complete, and the lines of each CPU in the order in
which it executed: an instruction follows the one before it, or the interruption in between."""
import re

INSN = re.compile(r"cpu(\d+) (guest|host ) insn ([0-9a-f]{16}) cc[0-3] ([0-9a-f]{4,12}) +"
                  r"(\S+)(?: (\S+))?(?:  \(EX at [0-9a-f]+\))?")
IRQ = re.compile(r"cpu(\d+) (guest|host ) irq  ([0-9a-f]{16}) "
                 r"(?:svc (\d+)|restart|"
                 r"external code=[0-9a-f]{4} cpu=[0-9a-f]{4} param=[0-9a-f]{8}) "
                 r"psw=([0-9a-f]{16})")
RELATIVE = ("brc", "brct", "brctg", "brcl")  # those whose target is in the line
LOADS_PSW = ("lpsw", "lpswe")


class Cpu:
    def __init__(self):
        self.next = None       # where it can go on; None: anywhere
        self.last = "nothing"
        self.insns = self.svcs = 0
        self.svc_old = None

    def insn(self, match):
        addr, text, mnemonic, operands = int(match[3], 16), match[4], match[5], match[6] or ""
        wrong = self.next is not None and addr not in self.next
        after, self.last, self.next = self.last, match[0], {addr + len(text) // 2}
        self.insns += 1
        if mnemonic in RELATIVE:
            self.next.add(int(operands.rsplit(",", 1)[-1], 16))
        elif mnemonic in LOADS_PSW or mnemonic.startswith("b"):
            self.next = None
        elif mnemonic == "svc":
            self.next = set()  # its interruption comes before any other instruction
            self.svc_old = addr + 2
        return f"after '{after}' comes '{match[0]}'" if wrong else None

    def irq(self, match):
        addr, psw = int(match[3], 16), int(match[5], 16)
        wrong = self.next is not None and addr not in self.next
        if match[4]:
            self.svcs += 1
            wrong = addr != self.svc_old
            self.svc_old = None
        if addr == 0 and psw == 0:
            wrong = "restart" not in match[0]  # the CPU has been reset
        after, self.last, self.next = self.last, match[0], None
        return f"after '{after}' comes '{match[0]}'" if wrong else None


def check(text, counted, svcs):
    """Findings. counted: instructions that each CPU says it has executed; svcs: supervisor calls of
    each."""
    cpus = {}
    bad = [] if text.endswith("\n") else ["the last line has no end"]
    for line in text.splitlines():
        insn, irq = INSN.fullmatch(line), IRQ.fullmatch(line)
        if not insn and not irq:
            bad.append(f"not a line of a trace: '{line}'")
            continue
        cpu = cpus.setdefault(int((insn or irq)[1]), Cpu())
        finding = cpu.insn(insn) if insn else cpu.irq(irq)
        if finding:
            bad.append(finding)
    have = {n: cpu.insns for n, cpu in cpus.items()}
    if have != counted:
        bad.append(f"instructions traced by CPU: {have}, counted: {counted}")
    if {cpu.svcs for cpu in cpus.values()} != {svcs}:
        bad.append(f"supervisor calls: {[cpu.svcs for cpu in cpus.values()]}, not {svcs} each")
    return bad


def damages(text):
    """(name, text) of ways in which a trace of several CPUs can go wrong; for testing check()."""
    lines = text.splitlines(keepends=True)
    at = next(i for i in range(len(lines) // 2, len(lines) - 1)
              if lines[i][:4] == lines[i + 1][:4] and lines[i] != lines[i + 1])
    first, second = lines[at], lines[at + 1]
    for name, instead in (("lost", [first]), ("twice", [first, first, second]),
                          ("in the wrong order", [second, first]),
                          ("torn", [first[:20] + second, first[20:]]),
                          ("of another CPU", [first, f"cpu{1 - int(second[3])}" + second[4:]])):
        yield name, "".join(lines[:at] + instead + lines[at + 2:])
    yield "without an end", text[:-1]
