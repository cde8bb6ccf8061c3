package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
)

// coder writes a state, or reads one: what is saved says once of what it consists, for both.
// Where it writes, it sets nothing, for others may be reading what records have in common with the
// engine. Where it reads, all of it may be wrong. After the first mistake it gives zeros.
type coder struct {
	reading bool
	buf     []byte // written so far, or to be read yet
	err     error
	// shift is what makes the capture's own time of the line clock: it is that which is saved,
	// for the line clock of another run begins anew.
	shift int64
	// from is the first position in the history that is saved.
	from uint64
}

// Reading reports whether it reads.
func (c *coder) Reading() bool { return c.reading }

// Fail says that what was read cannot be.
func (c *coder) Fail(reason string) {
	if c.err == nil {
		c.err = errors.New(reason)
	}
	c.buf = nil
}

// take is the next n bytes to be read, or nil.
func (c *coder) take(n int) []byte {
	if n < 0 || len(c.buf) < n {
		c.Fail("it ends too early")
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

// U64 codes eight bytes: a hash, or what fills them.
func (c *coder) U64(v *uint64) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, *v)
		return
	}
	*v = 0
	if b := c.take(8); b != nil {
		*v = binary.LittleEndian.Uint64(b)
	}
}

// F64 codes a number with a fraction. There is none that is no number.
func (c *coder) F64(v *float64) {
	w := math.Float64bits(*v)
	if c.U64(&w); !c.reading {
		return
	}
	if *v = math.Float64frombits(w); math.IsNaN(*v) || math.IsInf(*v, 0) {
		*v = 0
		c.Fail("it has a number that is none")
	}
}

// Int codes a number of any size in as few bytes as it takes.
func (c *coder) Int(v *int64) {
	if !c.reading {
		c.buf = binary.AppendVarint(c.buf, *v)
		return
	}
	value, n := binary.Varint(c.buf)
	if *v = value; n <= 0 {
		*v = 0
		c.Fail("it ends in a number")
		return
	}
	c.buf = c.buf[n:]
}

// U32, U16 and U8 code numbers likewise.
func (c *coder) U32(v *uint32) { number(c, v) }

// U16 is U32 of two bytes.
func (c *coder) U16(v *uint16) { number(c, v) }

// U8 is a byte.
func (c *coder) U8(v *uint8) {
	if !c.reading {
		c.buf = append(c.buf, *v)
		return
	}
	*v = 0
	if b := c.take(1); b != nil {
		*v = b[0]
	}
}

// Bool codes what holds or does not.
func (c *coder) Bool(v *bool) {
	b := uint8(0)
	if *v {
		b = 1
	}
	if c.U8(&b); !c.reading {
		return
	}
	if b > 1 {
		c.Fail("it has a byte that is neither true nor false")
	}
	*v = b == 1
}

// Addr codes an address.
func (c *coder) Addr(v *[16]byte) {
	if !c.reading {
		c.buf = append(c.buf, v[:]...)
		return
	}
	*v = [16]byte{}
	copy(v[:], c.take(16))
}

// Len codes how many things follow, of so many bytes each at least. What is read is never more
// than there can be.
func (c *coder) Len(n, each int) int {
	v := int64(n)
	c.Int(&v)
	if v < 0 || c.reading && v > int64(len(c.buf)/max(each, 1)) {
		c.Fail("it says that there is more of something than it has bytes")
		return 0
	}
	return int(v)
}

type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32
}

// number codes a number that must fit where it is read to.
func number[T integer](c *coder, v *T) {
	n := int64(*v)
	if c.Int(&n); !c.reading {
		return
	}
	if *v = T(n); int64(*v) != n {
		*v = 0
		c.Fail("it has a number that is too large")
	}
}

// below codes a number from 0 to under a bound.
func below[T integer](c *coder, v *T, bound T) {
	if number(c, v); c.reading && (*v < 0 || *v >= bound) {
		*v = 0
		c.Fail("it has a number that is too large")
	}
}

// line codes a time of the line clock.
func (c *coder) line(v *int64) {
	if !c.reading {
		own := *v + c.shift
		c.Int(&own)
		return
	}
	c.Int(v)
}

// position codes a place in the history, of which the first that is saved becomes the second:
// what is not saved is at none.
func (c *coder) position(v *uint64, none uint64) {
	n := int64(*v)
	if !c.reading && n > 0 {
		n = int64(none)
		if *v >= c.from {
			n = int64(*v - c.from + 2)
		}
	}
	if c.Int(&n); n < 0 {
		c.Fail("it has a number that is too small")
		n = 0
	}
	if c.reading {
		*v = uint64(n)
	}
}

func (c *coder) text(s *string) {
	n := c.Len(len(*s), 1)
	if !c.reading {
		c.buf = append(c.buf, *s...)
		return
	}
	*s = string(c.take(n))
}

// codeList codes a list, each thing by a function.
func codeList[T any](c *coder, l *[]T, each int, code func(*T)) {
	n := c.Len(len(*l), each)
	if c.reading {
		*l = nil
		if n > 0 {
			*l = make([]T, n)
		}
	}
	for i := range *l {
		code(&(*l)[i])
	}
}

// value codes what is in a record: exported fields only, without maps and interfaces.
func (c *coder) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		b := v.Bool()
		if c.Bool(&b); c.reading {
			v.SetBool(b)
		}
	case reflect.Int, reflect.Int64:
		n := v.Int()
		if c.Int(&n); c.reading {
			v.SetInt(n)
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n := v.Uint()
		if c.U64(&n); !c.reading {
			return
		}
		if v.OverflowUint(n) {
			c.Fail("it has a number that is too large")
			n = 0
		}
		v.SetUint(n)
	case reflect.Float64:
		f := v.Float()
		if c.F64(&f); c.reading {
			v.SetFloat(f)
		}
	case reflect.String:
		s := v.String()
		if c.text(&s); c.reading {
			v.SetString(s)
		}
	case reflect.Slice:
		n := c.Len(v.Len(), 1)
		if c.reading && n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range n {
			c.value(v.Index(i))
		}
	case reflect.Pointer:
		set := !v.IsNil()
		if c.Bool(&set); !set {
			return
		}
		if c.reading {
			v.Set(reflect.New(v.Type().Elem()))
		}
		c.value(v.Elem())
	case reflect.Struct:
		if a, ok := reflect.TypeAssert[*netip.Addr](v.Addr()); ok {
			c.netAddr(a)
			return
		}
		for _, field := range v.Fields() {
			c.value(field)
		}
	default:
		panic(fmt.Sprintf("a record has a %s, which cannot be saved", v.Type())) // a test saves one of all fields
	}
}

// record codes a record, or a part of one.
func record[T any](c *coder, r *T) { c.value(reflect.ValueOf(r).Elem()) }

// netAddr codes an address of a record, or that there is none. Those have no zone.
func (c *coder) netAddr(a *netip.Addr) {
	size, b := uint8(a.BitLen()/8), a.As16()
	if c.U8(&size); size == 0 {
		if c.reading {
			*a = netip.Addr{}
		}
		return
	}
	if c.Addr(&b); !c.reading {
		return
	}
	if *a = netip.AddrFrom16(b); size == 4 {
		*a = a.Unmap()
	}
}
