package bpf

// Check says whether the program can be loaded here, by loading it: nil, or the error that
// [Open] would return. What an interface can do is known when it is opened.
func Check() error {
	t, err := tuningFor(leastMemory)
	if err != nil {
		return err
	}
	objects, err := load(t)
	if err != nil {
		return err
	}
	return objects.Close()
}
