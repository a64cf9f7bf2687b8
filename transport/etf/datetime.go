package etf

import "time"

// dateTime is Elixir's DateTime. From writes one in UTC with microseconds, as
// DateTime.utc_now/0 gives it; of any zone Into takes the instant.
type dateTime struct {
	_           struct{}  `erl:"Elixir.DateTime,struct"`
	Calendar    Atom      `erl:"calendar"`
	Year        int       `erl:"year"`
	Month       int       `erl:"month"`
	Day         int       `erl:"day"`
	Hour        int       `erl:"hour"`
	Minute      int       `erl:"minute"`
	Second      int       `erl:"second"`
	Microsecond precision `erl:"microsecond"`
	Zone        string    `erl:"time_zone"`
	Short       string    `erl:"zone_abbr"`
	Offset      int       `erl:"utc_offset"` // seconds, without those of summer
	Summer      int       `erl:"std_offset"` // seconds
}

// precision is a part of a second, and how many of its digits are known.
type precision struct {
	_      struct{} `erl:",tuple"`
	Micros int      `erl:"microseconds"`
	Digits int      `erl:"digits"`
}

const isoCalendar = "Elixir.Calendar.ISO"

// maxYear is how far Elixir's calendar goes, in both directions.
const maxYear = 9999

func fromTime(at time.Time) (Term, error) {
	at = at.UTC()
	if at.Year() > maxYear || at.Year() < -maxYear {
		return nil, misfit("year %d is beyond %d", at.Year(), maxYear)
	}
	return From(dateTime{
		Calendar: isoCalendar, Year: at.Year(), Month: int(at.Month()), Day: at.Day(),
		Hour: at.Hour(), Minute: at.Minute(), Second: at.Second(),
		Microsecond: precision{Micros: at.Nanosecond() / 1000, Digits: 6}, Zone: "Etc/UTC", Short: "UTC",
	})
}

func intoTime(t Term) (time.Time, error) {
	d, err := As[dateTime](t)
	if err != nil {
		return time.Time{}, err
	}
	if !d.valid() {
		return time.Time{}, misfit("no valid DateTime of the ISO calendar")
	}
	wall := time.Date(d.Year, time.Month(d.Month), d.Day, d.Hour, d.Minute, d.Second, d.Microsecond.Micros*1000, time.UTC)
	return wall.Add(-time.Duration(d.Offset+d.Summer) * time.Second), nil
}

// valid says whether Elixir could have made it; what it holds is a peer's.
func (d *dateTime) valid() bool {
	const day = 24 * 60 * 60
	within := func(n, least, most int) bool { return least <= n && n <= most }
	return d.Calendar == isoCalendar && within(d.Year, -maxYear, maxYear) && within(d.Month, 1, 12) &&
		within(d.Day, 1, daysIn(d.Year, d.Month)) && within(d.Hour, 0, 23) && within(d.Minute, 0, 59) &&
		within(d.Second, 0, 59) && within(d.Microsecond.Micros, 0, 999_999) && within(d.Microsecond.Digits, 0, 6) &&
		within(d.Offset, -day, day) && within(d.Summer, -day, day)
}

// daysIn is the length of a month: the day before the first of the next.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
