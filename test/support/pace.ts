/** How much longer than on a machine of today tests may take, and the sleeps and time-outs in them are (an emulated one: 10). */
export const SLOWNESS = Number(process.env['LEVITATE_TEST_SLOWNESS'] ?? 1);
