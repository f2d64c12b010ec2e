/* Where windows of 8 bytes, sorted as numbers, stand in a piece of memory: built and called by memory.py. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint8_t maybe[1 << 21];

size_t seek(const uint8_t *data, size_t len, const uint64_t *sorted, size_t count, uint64_t *at, uint64_t *which, size_t most) {
    memset(maybe, 0, sizeof maybe);
    for (size_t n = 0; n < count; n++) {
        uint64_t hash = sorted[n] * 0x9E3779B97F4A7C15u >> 40;
        maybe[hash >> 3] |= 1 << (hash & 7);
    }
    size_t found = 0;
    for (size_t n = 0; n + 8 <= len && found < most; n++) {
        uint64_t window;
        memcpy(&window, data + n, 8);
        uint64_t hash = window * 0x9E3779B97F4A7C15u >> 40;
        if (!(maybe[hash >> 3] >> (hash & 7) & 1)) continue;
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (sorted[middle] < window) low = middle + 1; else high = middle;
        }
        if (low < count && sorted[low] == window) {
            at[found] = n;
            which[found++] = window;
        }
    }
    return found;
}
