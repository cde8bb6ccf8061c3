package walk

// Coder writes a state, or reads one.
type Coder interface {
	U8(*uint8)
	U16(*uint16)
}

// Code writes the walk, or takes it from what was written.
func (w *Walk) Code(c Coder) {
	c.U16(&w.failed)
	c.U16(&w.succeeded)
	c.U8(&w.value)
	c.U8(&w.peak)
	w.value, w.peak = min(w.value, Max), min(w.peak, Max)
}
