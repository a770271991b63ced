/* The process that holds a pod's namespaces: it buries the orphans of the pod and ends when it is told to. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal_number) {
  (void)signal_number;
  _exit(0);
}

static void bury(int signal_number) {
  (void)signal_number;
  while (waitpid(-1, 0, WNOHANG) > 0) {
  }
}

int main(void) {
  struct sigaction on_end = {.sa_handler = end};
  struct sigaction on_child = {.sa_handler = bury, .sa_flags = SA_NOCLDSTOP};
  sigaction(SIGINT, &on_end, 0);
  sigaction(SIGTERM, &on_end, 0);
  sigaction(SIGCHLD, &on_child, 0);
  for (;;) pause();
}
