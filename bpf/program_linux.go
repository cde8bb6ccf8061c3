package bpf

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// tuning is what tests change of the program.
type tuning struct {
	sizes  sizes
	budget uint32
	seed   uint64
	every  bool   // tell every frame that is read
	spread uint64 // take frames for those to so many hosts, less one
}

// questionBudget is how many questions of a source are told in a generation.
const questionBudget = 4096

func tuningFor(memory int64) (tuning, error) {
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return tuning{}, err
	}
	return tuning{sizes: sizesFor(memory), budget: questionBudget, seed: binary.NativeEndian.Uint64(seed[:])}, nil
}

// load loads the program into the kernel: where that can, to take frames of several
// buffers.
func load(t tuning) (*xdpObjects, error) {
	spec, err := loadXdp()
	if err != nil {
		return nil, fmt.Errorf("reading the XDP program: %w", err)
	}
	if err := t.apply(spec); err != nil {
		return nil, fmt.Errorf("setting up the XDP program: %w", err)
	}
	objects := new(xdpObjects)
	err = spec.LoadAndAssign(objects, nil)
	switch {
	case err == nil:
		return objects, nil
	case errors.Is(err, ebpf.ErrNotSupported):
		return nil, fmt.Errorf("%w: %w", ErrNotSupported, err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return nil, fmt.Errorf("loading the XDP program: %w (it needs root, or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW)", err)
	}
	return nil, fmt.Errorf("loading the XDP program: %w", err)
}

// apply writes the tuning, and what the kernel can do, into the program.
func (t tuning) apply(spec *ebpf.CollectionSpec) error {
	spec.Maps[xdpMapTargets].MaxEntries = t.sizes.cells
	spec.Maps[xdpMapEvents].MaxEntries = t.sizes.ring
	spec.Maps[xdpMapSources].MaxEntries = t.sizes.sets
	program := spec.Programs[xdpProgSynoptic]
	frags := bit(features.HaveProgramHelper(ebpf.XDP, asm.FnXdpGetBuffLen) == nil)
	if frags == 0 {
		program.Flags &^= unix.BPF_F_XDP_HAS_FRAGS
	}
	return errors.Join(
		spec.Variables[xdpVarSeed].Set(t.seed),
		spec.Variables[xdpVarCellMask].Set(t.sizes.cells-1),
		spec.Variables[xdpVarSets].Set(t.sizes.sets),
		spec.Variables[xdpVarBudget].Set(t.budget),
		spec.Variables[xdpVarRingWake].Set(t.sizes.ring/8),
		spec.Variables[xdpVarCoarse].Set(bit(features.HaveProgramHelper(ebpf.XDP, asm.FnKtimeGetCoarseNs) == nil)),
		spec.Variables[xdpVarFrags].Set(frags),
		spec.Variables[xdpVarEvery].Set(bit(t.every)),
		spec.Variables[xdpVarSpread].Set(t.spread),
	)
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
