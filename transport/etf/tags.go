package etf

// version opens a term that stands alone.
const version = 131

// Tags of the external term format, each followed by what stands after it.
// Integers are big-endian unless said otherwise; "atom" is any atom tag with
// its text. The tags marked "old" are read and never written.
const (
	tagSmallInt  = 97  // u8
	tagInt       = 98  // i32
	tagSmallBig  = 110 // n:u8  sign:u8 digits[n], little-endian
	tagLargeBig  = 111 // n:u32 sign:u8 digits[n], little-endian
	tagFloat     = 70  // IEEE double, finite
	tagFloatText = 99  // old: 31 bytes of text, filled up with zeros

	tagSmallAtom       = 119 // len:u8  UTF-8
	tagAtom            = 118 // len:u16 UTF-8, at most 255 characters
	tagSmallAtomLatin1 = 115 // old: len:u8  Latin-1
	tagAtomLatin1      = 100 // old: len:u16 Latin-1

	tagNewPid  = 88  // atom id:u32 serial:u32 creation:u32
	tagPid     = 103 // old: atom id:u32 serial:u32 creation:u8
	tagNewRef  = 90  // len:u16 atom creation:u32 id:u32 × len
	tagRef     = 114 // old: len:u16 atom creation:u8 id:u32 × len
	tagRefOne  = 101 // old: atom id:u32 creation:u8
	tagV4Port  = 120 // atom id:u64 creation:u32
	tagNewPort = 89  // atom id:u32 creation:u32
	tagPort    = 102 // old: atom id:u32 creation:u8

	tagSmallTuple = 104 // arity:u8  term × arity
	tagTuple      = 105 // arity:u32 term × arity
	tagNil        = 106 // nothing: the empty list
	tagString     = 107 // len:u16, a list of that many bytes
	tagList       = 108 // len:u32 term × len, then the tail
	tagMap        = 116 // n:u32 (key value) × n

	tagBinary    = 109 // len:u32 bytes
	tagBitBinary = 77  // len:u32 bits:u8 bytes

	tagExport = 113 // atom atom tagSmallInt arity:u8
	tagNewFun = 112 // size:u32, itself included; see skipNewFun
	tagRecord = 67  // OTP 29: n:u32 flags:u8 atom atom atom × n term × n

	tagCacheRef   = 82  // an atom by its place in the header of its packet
	tagCompressed = 80  // refused: nodes do not accept it between them
	tagLocal      = 121 // refused: means something to its maker only
)

// Bounds that the format or the nodes that read it set.
const (
	maxAtomChars = 255
	maxRefWords  = 5
	// maxDigits is the longest integer, in bytes, that all releases read: OTP 27 and
	// later have none beyond 65535 words. OTP 25 has some of twice that.
	maxDigits = 65535 * 8
	maxString = 1<<16 - 1
	// maxOldPort bounds the port numbers that OTP 25 writes in the short form.
	maxOldPort = 1<<28 - 1
)
