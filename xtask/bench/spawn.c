/* spawn COUNT AT_ONCE SCRIPT: starts `bash -e SCRIPT` COUNT times with posix_spawn, AT_ONCE of them at a time, and waits for all:
   the least that running COUNT steps can cost. */
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int count, char **arguments) {
    if (count < 4) return 2;
    int left = atoi(arguments[1]), at_once = atoi(arguments[2]), running = 0, status;
    char *command[] = {"bash", "-e", arguments[3], 0};
    while (left > 0 || running > 0) {
        if (left > 0 && running < at_once) {
            pid_t child;
            if (posix_spawn(&child, "/bin/bash", 0, 0, command, environ)) return 3;
            left--, running++;
        } else {
            if (wait(&status) < 0 || status) return 4;
            running--;
        }
    }
    return 0;
}
