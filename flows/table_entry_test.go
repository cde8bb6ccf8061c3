package flows

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEventsHoldNothingOfEarlierOnes: events are written where others were.
func TestEventsHoldNothingOfEarlierOnes(t *testing.T) {
	for _, technique := range []Technique{TCPSYN, UDP} {
		e := entry{technique: technique}
		fresh := e.emit(Final, 7, nil)
		earlier := make([]Event, 1)
		fill(reflect.ValueOf(&earlier[0]).Elem())
		require.Equal(t, fresh, e.emit(Final, 7, earlier[:0]))
	}
}

// fill sets all that a value holds.
func fill(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(1)
	default:
		v.SetUint(1)
	}
}
