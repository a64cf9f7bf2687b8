package etf

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// AppendInt appends an integer. It does not fail.
func AppendInt(b []byte, v int64) []byte {
	switch {
	case v >= 0 && v <= math.MaxUint8:
		return append(b, tagSmallInt, byte(v))
	case v == int64(int32(v)):
		return binary.BigEndian.AppendUint32(append(b, tagInt), uint32(int32(v)))
	case v < 0:
		return appendMagnitude(b, 1, -uint64(v))
	}
	return appendMagnitude(b, 0, uint64(v))
}

// AppendUint appends an integer that is not negative. It does not fail.
func AppendUint(b []byte, v uint64) []byte {
	if v <= math.MaxInt32 {
		return AppendInt(b, int64(v))
	}
	return appendMagnitude(b, 0, v)
}

// appendMagnitude appends the big form of what fits 64 bits and a sign.
func appendMagnitude(b []byte, sign byte, v uint64) []byte {
	n := (bits.Len64(v) + 7) / 8
	at := len(b) + 3 + n
	b = binary.LittleEndian.AppendUint64(append(b, tagSmallBig, byte(n), sign), v)
	return b[:at]
}

func appendBig(b []byte, v *big.Int) ([]byte, error) {
	if v == nil {
		return nil, badValue("nil *big.Int: not a number")
	}
	if v.IsInt64() {
		return AppendInt(b, v.Int64()), nil
	}
	n := (v.BitLen() + 7) / 8
	if n > maxDigits {
		return nil, badValue("integer of %d bytes: more than %d", n, maxDigits)
	}
	if n <= math.MaxUint8 {
		b = append(b, tagSmallBig, byte(n))
	} else {
		b = binary.BigEndian.AppendUint32(append(b, tagLargeBig), uint32(n))
	}
	var sign byte
	if v.Sign() < 0 {
		sign = 1
	}
	b = append(b, sign)
	at := len(b) + n
	for _, w := range v.Bits() {
		for range bits.UintSize / 8 {
			b = append(b, byte(w))
			w >>= 8
		}
	}
	return b[:at], nil
}

func appendFloat(b []byte, v float64) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, badValue("float %v: not finite", v)
	}
	return binary.BigEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v)), nil
}
