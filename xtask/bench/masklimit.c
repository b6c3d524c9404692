/* masklimit FILE SECRET < LOG: the work that nobody who keeps a log can avoid: find the lines, hide one secret, put the time
   before each line, write it down. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char input[1 << 20], output[1 << 19];
static size_t filled;
static int file;

static void flush(void) {
    for (size_t done = 0; done < filled;) {
        ssize_t written = write(file, output + done, filled - done);
        if (written < 0) _exit(4);
        done += written;
    }
    filled = 0;
}

static void put(const char *text, size_t length) {
    if (filled + length > sizeof output) flush();
    memcpy(output + filled, text, length);
    filled += length;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    const char *secret = arguments[2];
    size_t secret_length = strlen(secret), kept = 0;
    file = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    fcntl(0, F_SETPIPE_SZ, 1 << 20);
    for (ssize_t got; (got = read(0, input + kept, 1 << 16)) > 0;) {
        struct timespec now;
        struct tm parts;
        char stamp[40];
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &parts);
        size_t stamp_length = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
        stamp_length += snprintf(stamp + stamp_length, sizeof stamp - stamp_length, ".%07ldZ ", now.tv_nsec / 100);
        kept += got;
        char *line = input, *end, *hit;
        while ((end = memchr(line, '\n', input + kept - line))) {
            put(stamp, stamp_length);
            while ((hit = memmem(line, end - line, secret, secret_length))) {
                put(line, hit - line);
                put("***", 3);
                line = hit + secret_length;
            }
            put(line, end + 1 - line);
            line = end + 1;
        }
        kept -= line - input;
        memmove(input, line, kept);
        if (kept > sizeof input - (1 << 16)) return 5;
    }
    flush();
    return 0;
}
