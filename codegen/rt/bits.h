/* rt/bits.h: booleans as bits. C99. */
#include <stdbool.h>
#include <stdint.h>

/* a mask, not a shift of the byte: so gcc 12 vectorises loops over bytes */
static inline bool
rt_bit(uint8_t byte, int64_t k)
{
	return (byte & (uint8_t)(1 << k)) != 0;
}

static inline uint8_t
rt_byte(bool b0, bool b1, bool b2, bool b3, bool b4, bool b5, bool b6, bool b7)
{
	return (uint8_t)(b0 | b1 << 1 | b2 << 2 | b3 << 3 | b4 << 4 | b5 << 5 | b6 << 6 | b7 << 7);
}
