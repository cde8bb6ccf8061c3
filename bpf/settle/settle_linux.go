package settle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

//go:generate go tool bpf2go -cc clang -cflags "-O2 -g -Wall -Werror -mcpu=v3" -target bpfel,bpfeb -go-package settle program settle.c

// Program is in the kernel. Its methods may be called from any goroutine.
type Program struct {
	objects programObjects
	counts  *ebpf.Memory
	states  *ebpf.Memory

	mu         sync.Mutex
	generation uint64
}

// countSize is what each processor has for its counts, in bytes.
const countSize = 64

// Load puts the program into the kernel, where it takes 2 MiB and passes on snap bytes of
// each packet. The seed keys its hash function: who knows it can have segments dropped that
// are not settled. It takes the capability CAP_BPF, without which the error is
// [os.ErrPermission], and Linux 5.12.
func Load(snap int, seed uint64) (*Program, error) { return load(snap, seed, Tell) }

// Tell is how often one of what could be dropped comes through all the same, so that the
// line knows what time it is.
const Tell = 50 * time.Millisecond

func load(snap int, seed uint64, tell time.Duration) (*Program, error) {
	spec, err := loadProgram()
	if err != nil {
		return nil, err
	}
	processors, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, err
	}
	spec.Maps[programMapCounts].MaxEntries = uint32(processors)
	if err := errors.Join(
		spec.Variables[programVarKeys].Set(keys(seed)),
		spec.Variables[programVarSnapLength].Set(uint32(snap)),
		spec.Variables[programVarTell].Set(uint64(tell)),
	); err != nil {
		return nil, err
	}
	p := &Program{}
	if err := spec.LoadAndAssign(&p.objects, nil); err != nil {
		return nil, fmt.Errorf("loading the program that drops settled conversations: %w", err)
	}
	p.counts, err = p.objects.Counts.Memory()
	if err == nil {
		p.states, err = p.objects.States.Memory()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mapping the counts of the program: %w", err), p.Close())
	}
	return p, nil
}

// keys draws the keys of the hash function by a seed (SplitMix64).
func keys(seed uint64) (k [23]uint64) {
	for i := range k {
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		k[i] = z ^ z>>31 | 1
	}
	return k
}

// Attach makes a packet socket of a device with Ethernet's headers drop what is settled.
// The socket keeps the program; Close takes it away from none.
func (p *Program) Attach(socket int) error {
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, p.objects.Settle.FD()); err != nil {
		return fmt.Errorf("attaching the program that drops settled conversations: %w", err)
	}
	return nil
}

// Dropped is how many packets were dropped so far, and how many bytes of them would have
// been passed on. It goes on to be known after Close.
func (p *Program) Dropped() (packets, bytes uint64) {
	var count [countSize]byte
	for at := int64(0); at < int64(p.counts.Size()); at += countSize {
		if _, err := p.counts.ReadAt(count[:], at); err != nil {
			break // there is no more
		}
		packets += binary.NativeEndian.Uint64(count[0:])
		bytes += binary.NativeEndian.Uint64(count[8:])
	}
	return packets, bytes
}

// Forget makes no conversation settled: those that go on settle anew.
func (p *Program) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	_, _ = p.states.WriteAt(binary.NativeEndian.AppendUint64(nil, p.generation), 0) // it is as large
}

// Close gives up what is not needed when all sockets have the program.
func (p *Program) Close() error { return p.objects.Close() }
