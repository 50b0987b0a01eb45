/* special.h: special functions of rows, of which C99's library has none that can be called from
 * several threads. C99; the interpreter calls them, and the build embeds them among the helpers
 * of emitted code. f32 is computed in double and rounded. Errors in double, against mpmath:
 * a few units in the last place; absolute ones near zeros of lgamma and digamma.
 *
 * Sources: Abramowitz and Stegun, Handbook of Mathematical Functions (AS); NIST DLMF; others where they stand. */
#include <math.h>
#include <stdint.h>

/* AS 6.3.18 from 10 upwards, 6.3.5 down to there, reflection 6.3.7 */
static inline double
rt_digamma_f64(double x)
{
	double shift = 0.0, r = x - rint(x), i, p;

	if (x == 0.0)
		return -copysign(HUGE_VAL, x);
	if (x < 0.0 && r == 0.0)
		return x - x != 0.0 ? x - x : (x - x) / 0.0;
	if (x < 0.0)
		return rt_digamma_f64(1.0 - x) - 3.14159265358979323846 / tan(3.14159265358979323846 * r);
	for (; x < 10.0; x += 1.0)
		shift += 1.0 / x;
	i = 1.0 / (x * x);
	p = i * (1.0 / 12 - i * (1.0 / 120 - i * (1.0 / 252 - i * (1.0 / 240 - i * (1.0 / 132
		- i * (691.0 / 32760 - i * (1.0 / 12)))))));
	return log(x) - 0.5 / x - p - shift;
}

static inline float
rt_digamma_f32(float x)
{
	return (float)rt_digamma_f64((double)x);
}

/* log Gamma(2 + z), |z| <= 1/2: AS 6.1.33; the coefficients are 1 - Euler's constant and (-1)^k (zeta(k) - 1) / k */
static inline double
rt_log_gamma_near_2_f64(double z)
{
	static const double c[] = {
		0.422784335098467139, 0.322467033424113218, -0.0673523010531980951, 0.0205808084277845479,
		-0.00738555102867398527, 0.00289051033074152329, -0.00119275391170326098, 0.000509669524743042422,
		-0.00022315475845357938, 0.0000994575127818085337, -0.0000449262367381331417, 0.0000205072127756706916,
		-9.4394882752683959e-6, 4.3748667899074878e-6, -2.03921575380136624e-6, 9.55141213040741983e-7,
		-4.49246919876456604e-7, 2.12071848055546659e-7, -1.00432248239680996e-7, 4.76981016936398057e-8,
		-2.27110946089431649e-8, 1.08386592148969541e-8, -5.18347504197004666e-9, 2.48367454380247832e-9,
		-1.19214014058609121e-9, 5.73136724167886201e-10, -2.75952288512423315e-10, 1.33047643742444895e-10,
		-6.42296456383810002e-11
	};
	double sum = 0.0;

	for (int k = (int)(sizeof c / sizeof *c) - 1; k >= 0; k--)
		sum = c[k] + z * sum;
	return z * sum;
}

/* log |Gamma(x)|: Stirling's series AS 6.1.41 from 10 upwards, the series about 2 below, reflection 6.1.17 */
static inline double
rt_log_gamma_f64(double x)
{
	double product = 1.0, r = x - rint(x), i, p;

	if (x - x != 0.0)
		return fabs(x);
	if (x <= 0.0 && r == 0.0)
		return HUGE_VAL;
	if (x < 0.0)
		return log(3.14159265358979323846 / fabs(x * sin(3.14159265358979323846 * r))) - rt_log_gamma_f64(-x);
	if (x < 0.5)
		return rt_log_gamma_near_2_f64(x) - log(x * (x + 1.0));
	if (x < 1.5)
		return rt_log_gamma_near_2_f64(x - 1.0) - log(x);
	if (x < 10.0) {
		for (; x > 2.5; product *= x)
			x -= 1.0;
		return rt_log_gamma_near_2_f64(x - 2.0) + log(product);
	}
	i = 1.0 / (x * x);
	p = (1.0 / 12 - i * (1.0 / 360 - i * (1.0 / 1260 - i * (1.0 / 1680 - i * (1.0 / 1188
		- i * (691.0 / 360360 - i * (1.0 / 156))))))) / x;
	return (x - 0.5) * (log(x) - 1.0) + 0.41893853320467274178 + p;
}

static inline float
rt_log_gamma_f32(float x)
{
	return (float)rt_log_gamma_f64((double)x);
}

/* sum of (q + k)^-s over k = 0, 1, ...; s > 1, q > 0: Euler and Maclaurin's sum from 10 + s upwards, DLMF 25.11.5 */
static inline double
rt_zeta_tail_f64(double s, double q)
{
	/* B(2j) / (2j)! */
	static const double b[] = {1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160,
		-691.0 / 1307674368000, 1.0 / 74724249600, -3617.0 / 10670622842880000};
	double sum = 0.0, last, factor;

	for (int k = 0; k < 256 && q < 10.0 + s; k++, q += 1.0)        /* for a greater s, later terms are 0 */
		sum += pow(q, -s);
	last = pow(q, -s);
	sum += last * q / (s - 1.0) + 0.5 * last;
	factor = s * last / q;
	for (int j = 0; j < 8; j++) {
		sum += b[j] * factor;
		factor *= (s + 2 * j + 1) * (s + 2 * j + 2) / (q * q);
	}
	return sum;
}

/* Hurwitz' zeta function for s > 1. Below 0, where s must be a whole number, the terms on either side of 0 are
 * sums of the same kind. */
static inline double
rt_zeta_f64(double s, double q)
{
	double n = -floor(q), r = q + n, sign = s == 2.0 * floor(s / 2.0) ? 1.0 : -1.0;

	if (s != s || q != q || s < 1.0)
		return NAN;
	if (s == 1.0 || (q <= 0.0 && r == 0.0))
		return HUGE_VAL;
	if (q > 0.0)
		return rt_zeta_tail_f64(s, q);
	if (s != floor(s))
		return NAN;
	return rt_zeta_tail_f64(s, r) + sign * (rt_zeta_tail_f64(s, 1.0 - r) - rt_zeta_tail_f64(s, n + 1.0 - r));
}

/* derivative of order n, a whole number, of digamma: AS 6.4.10 */
static inline double
rt_polygamma_f64(double n, double x)
{
	if (!(n >= 0.0 && n == floor(n)))
		return NAN;
	if (n == 0.0)
		return rt_digamma_f64(x);
	return (fmod(n, 2.0) == 0.0 ? -1.0 : 1.0) * tgamma(n + 1.0) * rt_zeta_f64(n + 1.0, x);
}

static inline float
rt_polygamma_f32(float n, float x)
{
	return (float)rt_polygamma_f64((double)n, (double)x);
}

/* Winitzki's approximation (2008), then Halley's iteration; the tail through erfc, which is exact there */
static inline double
rt_erfinv_f64(double x)
{
	double y, t, a = fabs(x), l = log1p(-a * a);

	if (!(a < 1.0))
		return a == 1.0 ? x * HUGE_VAL : NAN;
	t = 4.33074675 + 0.5 * l;
	y = sqrt(sqrt(t * t - l / 0.147) - t);
	for (int i = 0; i < 3; i++) {
		double e = (a > 0.5 ? (1.0 - a) - erfc(y) : erf(y) - a) * 0.88622692545275801365 * exp(y * y);
		y -= e / (1.0 + y * e);
	}
	return copysign(y, x);
}

static inline float
rt_erfinv_f32(float x)
{
	return (float)rt_erfinv_f64((double)x);
}

/* a polynomial of degree 7 over another, at r */
static inline double
rt_ratio_f64(const double *over, const double *under, double r)
{
	double a = over[7], b = under[7];

	for (int k = 6; k >= 0; k--) {
		a = a * r + over[k];
		b = b * r + under[k];
	}
	return a / b;
}

/* the inverse of the normal distribution function: Wichura, Applied Statistics 37 (1988), algorithm AS 241, PPND16 */
static inline double
rt_ndtri_f64(double p)
{
	static const double near[2][8] = {
		{3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
			45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727},
		{1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
			21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610}};
	static const double tail[2][8] = {
		{1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
			1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4},
		{1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
			0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
	static const double far[2][8] = {
		{6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
			0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
		{1.0, 0.599832206555887937690, 0.136929880922735805310,
			0.0148753612908506148525, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
			1.42151175831644588870e-7, 2.04426310338993978564e-15}};
	double q = p - 0.5, r, x;

	if (!(p > 0.0 && p < 1.0))
		return p == 0.0 || p == 1.0 ? q * HUGE_VAL : NAN;
	if (fabs(q) <= 0.425)
		return q * rt_ratio_f64(near[0], near[1], 0.180625 - q * q);
	r = sqrt(-log(q < 0.0 ? p : 1.0 - p));
	x = r <= 5.0 ? rt_ratio_f64(tail[0], tail[1], r - 1.6) : rt_ratio_f64(far[0], far[1], r - 5.0);
	return copysign(x, q);
}

static inline float
rt_ndtri_f32(float x)
{
	return (float)rt_ndtri_f64((double)x);
}

/* exp(x^2) erfc(x): the square is taken exactly; DLMF 7.12.1 from 12 upwards */
static inline double
rt_erfcx_f64(double x)
{
	double h = x * x, low = fma(x, x, -h), i = 0.5 / h, term = 1.0, sum = 1.0;

	if (x < 12.0)
		return x < -27.0 ? HUGE_VAL : exp(h) * (1.0 + low) * erfc(x);
	for (int k = 1; k < 12; k++) {
		term *= -(2 * k - 1) * i;
		sum += term;
	}
	return 0.56418958354775628695 / x * sum;
}

static inline float
rt_erfcx_f32(float x)
{
	return (float)rt_erfcx_f64((double)x);
}

/* exp(-|x|) I0(x): the power series AS 9.6.12, whose terms are positive; the asymptotic one 9.7.1 from 20 upwards */
static inline double
rt_i0e_f64(double x)
{
	double a = fabs(x), q = 0.25 * a * a, term = 1.0, sum = 1.0;

	if (a < 20.0) {
		for (int k = 1; term > sum * 1e-17; k++) {
			term *= q / ((double)k * k);
			sum += term;
		}
		return sum * exp(-a);
	}
	for (int k = 1; k < 30 && term > 1e-17; k++) {
		term *= (2.0 * k - 1.0) * (2.0 * k - 1.0) / (8.0 * k * a);
		sum += term;
	}
	return sum / sqrt(6.28318530717958647693 * a);
}

static inline float
rt_i0e_f32(float x)
{
	return (float)rt_i0e_f64((double)x);
}

/* exp(-|x|) I1(x), likewise */
static inline double
rt_i1e_f64(double x)
{
	double a = fabs(x), q = 0.25 * a * a, term = 1.0, sum = 1.0;

	if (a < 20.0) {
		for (int k = 1; term > sum * 1e-17; k++) {
			term *= q / ((double)k * (k + 1.0));
			sum += term;
		}
		return 0.5 * x * sum * exp(-a);
	}
	for (int k = 1; k < 30 && fabs(term) > 1e-17; k++) {
		term *= ((2.0 * k - 1.0) * (2.0 * k - 1.0) - 4.0) / (8.0 * k * a);
		sum += term;
	}
	return copysign(sum / sqrt(6.28318530717958647693 * a), x);
}

static inline float
rt_i1e_f32(float x)
{
	return (float)rt_i1e_f64((double)x);
}

/* sin(pi x): the period is taken away exactly */
static inline double
rt_sinpi_f64(double x)
{
	return sin(3.14159265358979323846 * (x - 2.0 * rint(0.5 * x)));
}

static inline float
rt_sinpi_f32(float x)
{
	return (float)rt_sinpi_f64((double)x);
}

/* log(exp(a) + exp(b)); infinities of one sign give themselves */
static inline double
rt_log_add_exp_f64(double a, double b)
{
	const double hi = a > b ? a : b, lo = a > b ? b : a;

	return hi == lo ? hi + 0.69314718055994530942 : hi + log1p(exp(lo - hi));
}
