// Package replays holds tests that play captures of this project otherwise than
// they were taken: cut, doubled, out of order, mixed, and all behind one address.
package replays
