// SPDX-License-Identifier: MIT
/*
 * Serving the control socket. Each of a few threads serves one client after the other; nothing that
 * a client sends or leaves out may do more than end its own connection.
 */
#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dump.h"
#include "err.h"
#include "io.h"
#include "sclp.h"
#include "vm.h"

#define CLIENTS	    4u
#define BACKLOG	    8
#define JSON_DEPTH  8
#define PROGRESS_NS 100000000u /* between two events */

struct control {
	struct vm *vm;
	char *path; /* NULL: there is nothing to remove */
	int listener;
	int stop[2]; /* readable when the threads have to end */
	pthread_t threads[CLIENTS];
	size_t nthreads;
	struct stat self; /* of the socket's file */
};

struct client {
	struct control *c;
	int fd;
	bool broken; /* nothing more can be sent */
	uint64_t last_event_ns;
	char line[CONTROL_LINE_BYTES];
	size_t len;
};

/* --- Sending ------------------------------------------------------------------------------------ */

/* False when the connection or the VM ends first; then nothing more is read. */
static bool await(const struct client *cl, short events)
{
	struct pollfd fds[2] = { { .fd = cl->fd, .events = events },
				 { .fd = cl->c->stop[0], .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return fds[0].revents & events && !(events & POLLIN && fds[1].revents);
}

static void send_all(struct client *cl, const char *text, size_t len)
{
	while (len && !cl->broken) {
		ssize_t n = send(cl->fd, text, len, MSG_NOSIGNAL);

		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno != EINTR && (errno != EAGAIN || !await(cl, POLLOUT))) {
			cl->broken = true;
		}
	}
}

static void add(json_object *to, const char *name, json_object *value)
{
	json_object_object_add(to, name, value);
}

static json_object *count(uint64_t n)
{
	return json_object_new_int64((int64_t)n);
}

static json_object *seconds(uint64_t ns)
{
	return json_object_new_double((double)ns / 1e9);
}

static const char *as_text(json_object *o)
{
	return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* {name: value}; takes the value over. */
static void reply(struct client *cl, const char *name, json_object *value)
{
	json_object *o = json_object_new_object();
	const char *text;

	add(o, name, value);
	text = as_text(o);
	send_all(cl, text, strlen(text));
	send_all(cl, "\n", 1);
	json_object_put(o);
}

static void reply_error(struct client *cl, const char *text)
{
	json_object *e = json_object_new_object();

	add(e, "text", json_object_new_string(text));
	reply(cl, "error", e);
}

/* --- Dumping ------------------------------------------------------------------------------------ */

/* Both directions are closed: nobody waits any more. Half a connection is enough to be waited for. */
static bool hung_up(const struct client *cl)
{
	struct pollfd fd = { .fd = cl->fd };

	return cl->broken || (poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR));
}

/* An event that the client does not take at once is left out: the guest does not wait for it. */
static void send_progress(struct client *cl, uint64_t done, uint64_t total)
{
	char text[128];
	int len = snprintf(text, sizeof(text),
			   "{\"event\":\"progress\",\"data\":{\"done\":%llu,\"total\":%llu}}\n",
			   (unsigned long long)done, (unsigned long long)total);
	ssize_t n = send(cl->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0 ? n < len : errno != EAGAIN && errno != EINTR)
		cl->broken = true;
}

/* On the CPU's thread, while this client's own one waits. */
static int on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct client *cl = ctx;
	uint64_t now = vm_now_ns();

	if (now - cl->last_event_ns >= PROGRESS_NS) {
		cl->last_event_ns = now;
		send_progress(cl, done, total);
	}
	return hung_up(cl);
}

static json_object *report_json(const struct dump_report *r, const char *file)
{
	json_object *o = json_object_new_object();

	add(o, "file", json_object_new_string(file));
	add(o, "protected", json_object_new_boolean(r->is_protected));
	add(o, "cpus", count(r->cpus));
	add(o, "memory_bytes", count(r->memory_bytes));
	add(o, "stored_bytes", count(r->stored_bytes));
	add(o, "file_bytes", count(r->file_bytes));
	add(o, "pause_seconds", seconds(r->pause_ns));
	add(o, "seconds", seconds(r->total_ns));
	return o;
}

static int do_dump(struct client *cl, json_object *args, json_object **out, struct zpv_err *err)
{
	const struct zpv_progress progress = { .update = on_progress, .ctx = cl };
	json_object *file = json_object_object_get(args, "file");
	json_object *overwrite = json_object_object_get(args, "overwrite");
	struct dump_spec spec = { .progress = &progress };
	struct dump_report report;
	int rc;

	if (!json_object_is_type(file, json_type_string) ||
	    json_object_get_string(file)[0] != '/' ||
	    strlen(json_object_get_string(file)) != (size_t)json_object_get_string_len(file))
		return err_set(err, ZPV_ERR_USAGE, "'file' is not a path that begins with '/'");
	if (overwrite && !json_object_is_type(overwrite, json_type_boolean))
		return err_set(err, ZPV_ERR_USAGE, "'overwrite' is neither true nor false");
	spec.path = json_object_get_string(file);
	spec.overwrite = json_object_get_boolean(overwrite);
	rc = vm_dump(cl->c->vm, &spec, &report, err);
	if (!rc)
		*out = report_json(&report, spec.path);
	return rc;
}

/* --- Other commands ----------------------------------------------------------------------------- */

static int do_status(struct client *cl, json_object *args, json_object **out, struct zpv_err *err)
{
	struct vm *vm = cl->c->vm;
	const char *status = vm_ended(vm) != VM_RUNNING ? "ended" :
			     vm_is_paused(vm)		? "paused" :
							  "running";
	json_object *o = json_object_new_object();

	(void)args;
	(void)err;
	add(o, "status", json_object_new_string(status));
	add(o, "protected", json_object_new_boolean(atomic_load(&vm->is_protected)));
	add(o, "memory_bytes", count(vm->config.memory_bytes));
	add(o, "cpus", count(machine_cpus(vm->m)));
	add(o, "pid", count((uint64_t)getpid()));
	*out = o;
	return 0;
}

static int do_pause(struct client *cl, json_object *args, json_object **out, struct zpv_err *err)
{
	(void)args;
	(void)out;
	return vm_pause(cl->c->vm, err);
}

static int do_resume(struct client *cl, json_object *args, json_object **out, struct zpv_err *err)
{
	(void)args;
	(void)out;
	return vm_resume(cl->c->vm, err);
}

static int do_reset(struct client *cl, json_object *args, json_object **out, struct zpv_err *err)
{
	(void)args;
	(void)out;
	(void)err;
	vm_reset(cl->c->vm);
	return 0;
}

static int do_powerdown(struct client *cl, json_object *args, json_object **out,
			struct zpv_err *err)
{
	(void)args;
	(void)out;
	return sclp_quiesce(cl->c->vm->sclp) ?
		       0 :
		       err_set(err, ZPV_ERR_USAGE,
			       "the guest does not listen to shutdown requests");
}

/* The answer goes out before the VM does. */
static int do_quit(struct client *cl, json_object *args, json_object **out, struct zpv_err *err)
{
	(void)args;
	(void)out;
	(void)err;
	reply(cl, "return", json_object_new_object());
	vm_quit(cl->c->vm);
	cl->broken = true;
	return 0;
}

#define MAX_ARGS 2

static const struct {
	const char *name;
	int (*run)(struct client *cl, json_object *args, json_object **out, struct zpv_err *err);
	const char *args[MAX_ARGS];
} commands[] = {
	{ "query-status", do_status, { NULL } }, { "pause", do_pause, { NULL } },
	{ "resume", do_resume, { NULL } },	 { "dump", do_dump, { "file", "overwrite" } },
	{ "reset", do_reset, { NULL } },	 { "powerdown", do_powerdown, { NULL } },
	{ "quit", do_quit, { NULL } },
};

/* --- Requests ----------------------------------------------------------------------------------- */

static bool takes(size_t command, const char *name)
{
	for (size_t i = 0; i < MAX_ARGS && commands[command].args[i]; i++)
		if (strcmp(commands[command].args[i], name) == 0)
			return true;
	return false;
}

static int execute(struct client *cl, size_t command, json_object *args, json_object **out,
		   struct zpv_err *err)
{
	json_object_object_foreach(args, name, value)
	{
		(void)value;
		if (!takes(command, name))
			return err_set(err, ZPV_ERR_USAGE, "'%s' takes no '%.64s'",
				       commands[command].name, name);
	}
	return commands[command].run(cl, args, out, err);
}

/* An object with "execute" and perhaps "arguments". Return: 0 with borrowed parts. */
static int split(json_object *request, const char **name, json_object **args, struct zpv_err *err)
{
	json_object *execute = NULL;

	if (!json_object_is_type(request, json_type_object))
		return err_set(err, ZPV_ERR_FORMAT, "a request is not a JSON object");
	json_object_object_foreach(request, key, value)
	{
		if (strcmp(key, "execute") == 0)
			execute = value;
		else if (strcmp(key, "arguments") == 0)
			*args = value;
		else
			return err_set(err, ZPV_ERR_FORMAT, "a request has no member '%.64s'", key);
	}
	if (!json_object_is_type(execute, json_type_string))
		return err_set(err, ZPV_ERR_FORMAT, "a request has no text 'execute'");
	if (!json_object_is_type(*args, json_type_object))
		return err_set(err, ZPV_ERR_FORMAT, "'arguments' is not a JSON object");
	*name = json_object_get_string(execute);
	return 0;
}

static int dispatch(struct client *cl, json_object *request, json_object **out, struct zpv_err *err)
{
	json_object *none = json_object_new_object(), *args = none;
	const char *name = NULL;
	int rc = split(request, &name, &args, err);
	size_t i = 0;

	while (!rc && i < ARRAY_SIZE(commands) && strcmp(commands[i].name, name) != 0)
		i++;
	if (!rc && i == ARRAY_SIZE(commands))
		rc = err_set(err, ZPV_ERR_USAGE, "there is no command '%.64s'", name);
	if (!rc)
		rc = execute(cl, i, args, out, err);
	json_object_put(none);
	return rc;
}

/* With the NUL behind it: only that ends a word or a number. */
static json_object *parse(const char *line, size_t len, struct zpv_err *err)
{
	struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH);
	enum json_tokener_error why = json_tokener_continue;
	json_object *o = NULL;

	if (tok) {
		json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
		o = json_tokener_parse_ex(tok, line, (int)len + 1);
		why = json_tokener_get_error(tok);
		json_tokener_free(tok);
	}
	if (why != json_tokener_success)
		err_set(err, ZPV_ERR_FORMAT, "a request is not JSON: %s",
			why == json_tokener_continue ? "it ends too soon" :
						       json_tokener_error_desc(why));
	return o;
}

/* The byte behind the line is there to be overwritten. */
static void handle_line(struct client *cl, char *line, size_t len)
{
	json_object *request, *result = NULL;
	struct zpv_err err = { 0 };
	int rc = 0;

	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	if (!len)
		return;
	line[len] = '\0';
	request = parse(line, len, &err);
	if (!err.code)
		rc = dispatch(cl, request, &result, &err);
	if (rc || err.code)
		reply_error(cl, err.text);
	else
		reply(cl, "return", result ? result : json_object_new_object());
	json_object_put(request);
}

/* Every complete line of what has come. */
static void handle_lines(struct client *cl)
{
	char *at = cl->line, *end = cl->line + cl->len, *newline;

	while (!cl->broken && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		handle_line(cl, at, (size_t)(newline - at));
		at = newline + 1;
	}
	cl->len = (size_t)(end - at);
	memmove(cl->line, at, cl->len);
}

static void serve(struct client *cl)
{
	while (!cl->broken && await(cl, POLLIN)) {
		ssize_t n = read(cl->fd, cl->line + cl->len, sizeof(cl->line) - cl->len);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return;
		cl->len += (size_t)n;
		handle_lines(cl);
		if (cl->len == sizeof(cl->line)) {
			reply_error(cl, "a request is longer than 65536 bytes");
			return;
		}
	}
}

static void *serve_clients(void *arg)
{
	struct control *c = arg;
	struct client *cl = malloc(sizeof(*cl));
	struct pollfd fds[2] = { { .fd = c->listener, .events = POLLIN },
				 { .fd = c->stop[0], .events = POLLIN } };

	while (cl && (poll(fds, 2, -1) >= 0 || errno == EINTR) && !fds[1].revents) {
		int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			continue; /* another thread was faster */
		cl->c = c;
		cl->fd = fd;
		cl->broken = false;
		cl->last_event_ns = 0;
		cl->len = 0;
		serve(cl);
		close(fd);
	}
	free(cl);
	return NULL;
}

/* --- The socket --------------------------------------------------------------------------------- */

static int address_of(const char *path, struct sockaddr_un *out, struct zpv_err *err)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(out->sun_path))
		return err_set(err, ZPV_ERR_USAGE, "the socket's path '%s' has more than %zu bytes",
			       path, sizeof(out->sun_path) - 1);
	memcpy(out->sun_path, path, strlen(path) + 1);
	return 0;
}

static int new_socket(struct zpv_err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_errno(err, ZPV_ERR_IO, "cannot make a socket") : fd;
}

/* Nobody serves it: its VM was killed. */
static bool is_left_behind(const struct sockaddr_un *addr)
{
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	return fd >= 0 && lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 &&
	       errno == ECONNREFUSED;
}

/* Two VMs that begin at once must not take each other's socket for one that was left behind. */
static int lock_folder(const char *path, struct zpv_err *err)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		int rc = err_errno(err, ZPV_ERR_IO, "cannot use the folder of '%s'", path);

		io_close_fd(&fd);
		return rc;
	}
	return fd;
}

static int bind_locked(struct control *c, const char *path, const struct sockaddr_un *addr,
		       struct zpv_err *err)
{
	const struct sockaddr *sa = (const struct sockaddr *)addr;
	int rc = bind(c->listener, sa, sizeof(*addr));

	if (rc != 0 && errno == EADDRINUSE) {
		if (!is_left_behind(addr))
			return err_set(err, ZPV_ERR_EXISTS, "'%s' is there: a VM of this name runs",
				       path);
		unlink(path);
		rc = bind(c->listener, sa, sizeof(*addr));
	}
	if (rc != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot make the socket '%s'", path);
	c->path = strdup(path);
	/* Nobody can connect before it listens. */
	if (!c->path || chmod(path, 0600) != 0 || lstat(path, &c->self) != 0 ||
	    listen(c->listener, BACKLOG) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot set up the socket '%s'", path);
	return 0;
}

static int make_socket(struct control *c, const char *path, struct zpv_err *err)
{
	AUTO_FD lock = -1;
	struct sockaddr_un addr;
	int rc = address_of(path, &addr, err);

	if (rc)
		return rc;
	lock = lock_folder(path, err);
	if (lock < 0)
		return lock;
	c->listener = new_socket(err);
	return c->listener < 0 ? c->listener : bind_locked(c, path, &addr, err);
}

static int start(struct control *c, struct zpv_err *err)
{
	if (pipe2(c->stop, O_CLOEXEC) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot make a pipe");
	for (; c->nthreads < CLIENTS; c->nthreads++) {
		int rc = pthread_create(&c->threads[c->nthreads], NULL, serve_clients, c);

		if (rc)
			return err_set(err, ZPV_ERR_NOMEM, "cannot start a thread: %s",
				       strerror(rc));
	}
	return 0;
}

int control_new(struct vm *vm, const char *path, struct control **out, struct zpv_err *err)
{
	AUTO(control) struct control *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	c->vm = vm;
	c->listener = c->stop[0] = c->stop[1] = -1;
	rc = make_socket(c, path, err);
	if (!rc)
		rc = start(c, err);
	if (rc)
		return rc;
	*out = STEAL(c);
	return 0;
}

/* Only our own file: somebody may have put another one in its place. */
static void remove_socket(const struct control *c)
{
	struct stat st;

	if (c->path && lstat(c->path, &st) == 0 && st.st_dev == c->self.st_dev &&
	    st.st_ino == c->self.st_ino)
		unlink(c->path);
}

void control_free(struct control *c)
{
	if (!c)
		return;
	vm_serve_end(c->vm); /* who waits for the guest waits in vain */
	remove_socket(c);
	if (c->nthreads)
		(void)io_write_full(c->stop[1], "", 1);
	for (size_t i = 0; i < c->nthreads; i++)
		pthread_join(c->threads[i], NULL);
	io_close_fd(&c->listener);
	io_close_fd(&c->stop[0]);
	io_close_fd(&c->stop[1]);
	free(c->path);
	free(c);
}
