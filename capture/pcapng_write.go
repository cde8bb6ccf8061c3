package capture

import "encoding/binary"

// Numbers of pcapng options.
const (
	optionEnd         = 0
	optionComment     = 1
	optionName        = 2 // of an interface
	optionApplication = 4 // of a section
	optionReceived    = 4 // of statistics
	optionResolution  = 9
)

// maxOption is the longest text of an option that is written, in bytes.
const maxOption = 1<<16 - 8

// The functions below append blocks of a pcapng file, little-endian, with times in
// nanoseconds; what is appended is a whole block always, so that a file can be read as far
// as it goes. They are not gopacket's NgWriter, which writes the same bytes, for importing
// that takes ten milliseconds and 9 MiB of every program that does, and it knows no link types
// from 256 on, as that of "tcpdump -i any".

// AppendSection begins a section of a pcapng file, in which interfaces count from 0 again. It
// says which application writes it, and what it is; texts are cut at 65,528 bytes.
func AppendSection(dst []byte, application, comment string) []byte {
	dst, start := begin(dst, blockSection)
	dst = binary.LittleEndian.AppendUint32(dst, byteOrderMagic)
	dst = binary.LittleEndian.AppendUint16(dst, 1) // version 1.0
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, 1<<64-1) // of unknown length
	dst = appendText(dst, optionApplication, application)
	dst = appendText(dst, optionComment, comment)
	return end(appendOption(dst, optionEnd, 0), start)
}

// AppendInterface describes the next interface of a section: its LINKTYPE number, how many
// bytes of a packet are kept at most (0: all), and its name, which may be empty.
func AppendInterface(dst []byte, link uint16, snap uint32, name string) []byte {
	dst, start := begin(dst, blockInterface)
	dst = binary.LittleEndian.AppendUint16(dst, link)
	dst = binary.LittleEndian.AppendUint16(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, snap)
	dst = appendText(dst, optionName, name)
	dst = appendOption(dst, optionResolution, 1)
	dst = append(dst, 9, 0, 0, 0) // powers of ten, and padding
	return end(appendOption(dst, optionEnd, 0), start)
}

// AppendPacket writes a packet of an interface of the section. Of the frame Iface is not used. A
// time before 1970, for which the format has no number, becomes 1970.
func AppendPacket(dst []byte, iface uint32, f *Frame) []byte {
	dst, start := begin(dst, blockEnhanced)
	dst = binary.LittleEndian.AppendUint32(dst, iface)
	dst = appendTime(dst, max(f.Time, 0))
	size := uint32(len(f.Data)) //nolint:gosec // a frame is shorter
	dst = binary.LittleEndian.AppendUint32(dst, size)
	dst = binary.LittleEndian.AppendUint32(dst, max(f.Len, size))
	return end(pad(append(dst, f.Data...), len(f.Data)), start)
}

// AppendStatistics says how many packets of an interface of the section there were until a
// time in nanoseconds since 1970, written or not, with a comment.
func AppendStatistics(dst []byte, iface uint32, time int64, received uint64, comment string) []byte {
	dst, start := begin(dst, blockStatistics)
	dst = binary.LittleEndian.AppendUint32(dst, iface)
	dst = appendTime(dst, time)
	dst = appendText(dst, optionComment, comment)
	dst = appendOption(dst, optionReceived, 8)
	dst = binary.LittleEndian.AppendUint64(dst, received)
	return end(appendOption(dst, optionEnd, 0), start)
}

// begin is the start of a block, whose length end fills in.
func begin(dst []byte, kind uint32) (_ []byte, start int) {
	start = len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, kind)
	return append(dst, 0, 0, 0, 0), start
}

func end(dst []byte, start int) []byte {
	size := uint32(len(dst) - start + 4) //nolint:gosec // a block is shorter
	binary.LittleEndian.PutUint32(dst[start+4:], size)
	return binary.LittleEndian.AppendUint32(dst, size)
}

func appendTime(dst []byte, time int64) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(uint64(time)>>32)) //nolint:gosec // the upper half
	return binary.LittleEndian.AppendUint32(dst, uint32(time))            //nolint:gosec // the lower half
}

// appendText writes an option, unless it is empty.
func appendText(dst []byte, code uint16, text string) []byte {
	if text == "" {
		return dst
	}
	text = text[:min(len(text), maxOption)]
	return pad(append(appendOption(dst, code, len(text)), text...), len(text))
}

func appendOption(dst []byte, code uint16, size int) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, code)
	return binary.LittleEndian.AppendUint16(dst, uint16(size)) //nolint:gosec // not above maxOption
}

// pad fills up what is so long to a multiple of four bytes.
func pad(dst []byte, size int) []byte {
	return append(dst, make([]byte, pad4(size)-size)...)
}
