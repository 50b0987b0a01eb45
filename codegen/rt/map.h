/* rt/map.h: what pointwise expressions call besides libm. C99.
 *
 * Integers of any width are computed in 64 bits, signed or unsigned, and
 * converted to their dtype by the caller; nothing here is undefined: sums and
 * products wrap, x/0 and x mod 0 are 0, INT64_MIN/-1 is INT64_MIN. */
#include <math.h>
#include <stdint.h>

/* remainder with the sign of b */
static inline float
rt_floor_mod_f32(float a, float b)
{
	float m = fmodf(a, b);

	return m != 0.0f && (m < 0.0f) != (b < 0.0f) ? m + b : m;
}

static inline double
rt_floor_mod_f64(double a, double b)
{
	double m = fmod(a, b);

	return m != 0.0 && (m < 0.0) != (b < 0.0) ? m + b : m;
}

static inline int64_t
rt_wrap_neg_i64(int64_t a)
{
	return (int64_t)(0 - (uint64_t)a);
}

static inline uint64_t
rt_wrap_neg_u64(uint64_t a)
{
	return 0 - a;
}

static inline int64_t
rt_wrap_add_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline uint64_t
rt_wrap_add_u64(uint64_t a, uint64_t b)
{
	return a + b;
}

static inline int64_t
rt_wrap_sub_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline uint64_t
rt_wrap_sub_u64(uint64_t a, uint64_t b)
{
	return a - b;
}

static inline int64_t
rt_wrap_mul_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

static inline uint64_t
rt_wrap_mul_u64(uint64_t a, uint64_t b)
{
	return a * b;
}

static inline int64_t
rt_int_abs_i64(int64_t a)
{
	return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
}

static inline uint64_t
rt_int_abs_u64(uint64_t a)
{
	return a;
}

static inline int64_t
rt_int_sign_i64(int64_t a)
{
	return (a > 0) - (a < 0);
}

static inline uint64_t
rt_int_sign_u64(uint64_t a)
{
	return a != 0;
}

/* truncated toward zero */
static inline int64_t
rt_int_div_i64(int64_t a, int64_t b)
{
	return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static inline uint64_t
rt_int_div_u64(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : a / b;
}

/* remainder with the sign of a */
static inline int64_t
rt_int_fmod_i64(int64_t a, int64_t b)
{
	return b == 0 || b == -1 ? 0 : a % b;
}

static inline uint64_t
rt_int_fmod_u64(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : a % b;
}

/* remainder with the sign of b */
static inline int64_t
rt_int_mod_i64(int64_t a, int64_t b)
{
	int64_t m = b == 0 || b == -1 ? 0 : a % b;

	return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

static inline uint64_t
rt_int_mod_u64(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : a % b;
}

/* a to the power b, modulo 2^64; negative powers are 0 unless a is 1 or -1 */
static inline int64_t
rt_int_pow_i64(int64_t a, int64_t b)
{
	uint64_t r = 1, x = (uint64_t)a, e = (uint64_t)b;

	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b % 2 != 0 ? -1 : 1) : 0;
	for (; e != 0; e >>= 1, x *= x)
		if (e & 1)
			r *= x;
	return (int64_t)r;
}

static inline uint64_t
rt_int_pow_u64(uint64_t a, uint64_t b)
{
	uint64_t r = 1;

	for (; b != 0; b >>= 1, a *= a)
		if (b & 1)
			r *= a;
	return r;
}

static inline int64_t
rt_int_not_i64(int64_t a)
{
	return (int64_t)~(uint64_t)a;
}

static inline uint64_t
rt_int_not_u64(uint64_t a)
{
	return ~a;
}

static inline int64_t
rt_int_and_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a & (uint64_t)b);
}

static inline uint64_t
rt_int_and_u64(uint64_t a, uint64_t b)
{
	return a & b;
}

static inline int64_t
rt_int_or_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a | (uint64_t)b);
}

static inline uint64_t
rt_int_or_u64(uint64_t a, uint64_t b)
{
	return a | b;
}

static inline int64_t
rt_int_xor_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a ^ (uint64_t)b);
}

static inline uint64_t
rt_int_xor_u64(uint64_t a, uint64_t b)
{
	return a ^ b;
}

/* a * 2^b; 0 where b is negative */
static inline int64_t
rt_int_shl_i64(int64_t a, int64_t b)
{
	return b >= 0 && b < 64 ? (int64_t)((uint64_t)a << b) : 0;
}

static inline uint64_t
rt_int_shl_u64(uint64_t a, uint64_t b)
{
	return b < 64 ? a << b : 0;
}

/* floor(a / 2^b); a negative b counts as a great one */
static inline int64_t
rt_int_shr_i64(int64_t a, int64_t b)
{
	uint64_t x = a < 0 ? ~(uint64_t)a : (uint64_t)a;

	x = b >= 0 && b < 64 ? x >> b : 0;
	return (int64_t)(a < 0 ? ~x : x);
}

static inline uint64_t
rt_int_shr_u64(uint64_t a, uint64_t b)
{
	return b < 64 ? a >> b : 0;
}

/* greatest common divisor and least common multiple, >= 0 but where they wrap */
static inline uint64_t
rt_int_gcd_u64(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t r = a % b;
		a = b;
		b = r;
	}
	return a;
}

static inline int64_t
rt_int_gcd_i64(int64_t a, int64_t b)
{
	return (int64_t)rt_int_gcd_u64((uint64_t)rt_int_abs_i64(a), (uint64_t)rt_int_abs_i64(b));
}

static inline uint64_t
rt_int_lcm_u64(uint64_t a, uint64_t b)
{
	return a == 0 ? 0 : a / rt_int_gcd_u64(a, b) * b;
}

static inline int64_t
rt_int_lcm_i64(int64_t a, int64_t b)
{
	return rt_int_abs_i64((int64_t)rt_int_lcm_u64((uint64_t)rt_int_abs_i64(a), (uint64_t)rt_int_abs_i64(b)));
}

/* a key for part b of what key a is for (Steele, Lea, Flood 2014) */
static inline uint64_t
rt_fold_in_u64(uint64_t a, uint64_t b)
{
	uint64_t z = a;

	for (int i = 0; i < 2; i++) {
		z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
		z = (z ^ z >> 27) * 0x94D049BB133111EBu;
		z ^= z >> 31;
		if (i == 0)
			z += (b + 1) * 0x9E3779B97F4A7C15u;
	}
	return z;
}

static inline int64_t
rt_fold_in_i64(int64_t a, int64_t b)
{
	return (int64_t)rt_fold_in_u64((uint64_t)a, (uint64_t)b);
}

/* casts from floats: truncated toward zero, saturated, NaN is 0; the bounds are exact in double */
static inline int64_t
rt_to_i64(double x)
{
	return x >= 9223372036854775808.0 ? INT64_MAX : x >= -9223372036854775808.0 ? (int64_t)x
		: x < 0.0 ? INT64_MIN : 0;
}

static inline int32_t
rt_to_i32(double x)
{
	return x >= 2147483647.0 ? INT32_MAX : x > -2147483649.0 ? (int32_t)x : x < 0.0 ? INT32_MIN : 0;
}

static inline int16_t
rt_to_i16(double x)
{
	return x >= 32767.0 ? INT16_MAX : x > -32769.0 ? (int16_t)x : x < 0.0 ? INT16_MIN : (int16_t)0;
}

static inline int8_t
rt_to_i8(double x)
{
	return x >= 127.0 ? INT8_MAX : x > -129.0 ? (int8_t)x : x < 0.0 ? INT8_MIN : (int8_t)0;
}

static inline uint64_t
rt_to_u64(double x)
{
	return x >= 18446744073709551616.0 ? UINT64_MAX : x > -1.0 ? (uint64_t)x : 0;
}

static inline uint8_t
rt_to_u8(double x)
{
	return x >= 255.0 ? UINT8_MAX : x > -1.0 ? (uint8_t)x : (uint8_t)0;
}
