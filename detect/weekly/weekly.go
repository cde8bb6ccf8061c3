// Package weekly tells whether a moment lies in hours that come again every
// week, such as "mon-fri 22:00-06:00".
//
// Hours go by the clock on the wall, so that they stay where people expect them
// when it is put forward or back. What is skipped then is in no hours; what comes
// twice is in the same hours twice.
package weekly

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Day is the number of minutes of a day.
const Day = 24 * 60

// Hours begin on some days of each week at one time, and end at another. They
// contain the moment at which they begin, and not that at which they end. The
// zero value is none: see [Hours.Check].
type Hours struct {
	// First and Last are the days on which they begin, both included. Where Last
	// comes before First the days go on over Saturday.
	First, Last time.Weekday
	// Begin and End are in minutes since midnight, Begin from 0 to 1,439 and End
	// from 1 to 1,440. An End before Begin is on the next day.
	Begin, End int
}

var errHours = errors.New("must be days, times or both, such as mon-fri 22:00-06:00")

// Parse reads days, times, or both: "sat", "mon-fri", "22:00-06:00",
// "fri-mon 08:30-24:00". Without days it is every day, without times all day.
func Parse(text string) (Hours, error) {
	days, times, both := strings.Cut(text, " ")
	if !both && strings.Contains(text, ":") {
		days, times = "sun-sat", text
	} else if !both {
		times = "00:00-24:00"
	}
	var h Hours
	from, to, _ := strings.Cut(days, "-")
	if !strings.Contains(days, "-") {
		to = from
	}
	var ok, ok2 bool
	if h.First, ok = weekday(from); !ok {
		return Hours{}, errHours
	}
	if h.Last, ok = weekday(to); !ok {
		return Hours{}, errHours
	}
	if h.everyDay() {
		h.First, h.Last = time.Sunday, time.Saturday
	}
	from, to, _ = strings.Cut(times, "-")
	h.Begin, ok = minutes(from)
	h.End, ok2 = minutes(to)
	if !ok || !ok2 || h.Begin == Day {
		return Hours{}, errHours
	}
	if h.End == 0 {
		h.End = Day
	}
	return h, h.Check()
}

// Check reports what is wrong with hours that were not made by [Parse].
func (h Hours) Check() error {
	switch {
	case h.First < time.Sunday || h.First > time.Saturday || h.Last < time.Sunday || h.Last > time.Saturday:
		return errors.New("there is no such day")
	case h.Begin < 0 || h.Begin >= Day || h.End < 1 || h.End > Day:
		return errors.New("there is no such time of the day")
	case h.Begin == h.End:
		return errors.New("they end as they begin: for whole days leave the times out")
	}
	return nil
}

// Contain reports whether t, by the clock of its own location, lies in h.
func (h Hours) Contain(t time.Time) bool {
	day, minute := t.Weekday(), 60*t.Hour()+t.Minute()
	if h.Begin < h.End {
		return h.on(day) && h.Begin <= minute && minute < h.End
	}
	return h.on(day) && h.Begin <= minute || h.on((day+6)%7) && minute < h.End
}

// on reports whether hours begin on a day.
func (h Hours) on(day time.Weekday) bool { return (day-h.First+7)%7 <= (h.Last-h.First+7)%7 }

func (h Hours) everyDay() bool { return (h.Last-h.First+7)%7 == 6 }

// String is h as [Parse] reads it.
func (h Hours) String() string {
	days := short(h.First)
	if h.Last != h.First {
		days += "-" + short(h.Last)
	}
	times := fmt.Sprintf("%02d:%02d-%02d:%02d", h.Begin/60, h.Begin%60, h.End/60, h.End%60)
	switch {
	case h.Begin == 0 && h.End == Day:
		return days
	case h.everyDay():
		return times
	}
	return days + " " + times
}

func short(d time.Weekday) string { return strings.ToLower(d.String()[:3]) }

func weekday(name string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(name, short(d)) {
			return d, true
		}
	}
	return 0, false
}

// minutes reads HH:MM, up to 24:00.
func minutes(text string) (int, bool) {
	if len(text) != len("22:00") || text[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	hour, minute := 10*int(text[0]-'0')+int(text[1]-'0'), 10*int(text[3]-'0')+int(text[4]-'0')
	n := 60*hour + minute
	return n, minute < 60 && n <= Day
}
