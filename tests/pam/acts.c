/* A PAM module for tests. Its argument is a folder that has a file for each name and phase (ada.auth, ada.account); it does
   what each line says, and fails with the first that fails. Without a file a name is unknown, and an account is good.

     password TEXT               asks for the password
     shown ANSWER QUESTION…      asks, as hidden and radio do
     info TEXT…                  says something, as error does
     wait SECONDS FILE           for that file in the folder, and fails without it
     pause MILLISECONDS          takes its time
     rhost ADDRESS               fails unless PAM_RHOST is this
     rename NAME                 knows the person by another name
     fail CODE                   of the table below */
#define _DEFAULT_SOURCE
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int code;
} codes[] = {
    {"acct_expired", PAM_ACCT_EXPIRED}, {"authinfo_unavail", PAM_AUTHINFO_UNAVAIL}, {"maxtries", PAM_MAXTRIES},
    {"new_authtok_reqd", PAM_NEW_AUTHTOK_REQD}, {"perm_denied", PAM_PERM_DENIED}, {"system_err", PAM_SYSTEM_ERR},
};

static int code_of(const char *name)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (!strcmp(codes[i].name, name))
            return codes[i].code;
    return PAM_SERVICE_ERR;
}

static int password(pam_handle_t *pamh, const char *expected)
{
    const char *given = NULL;
    int result = pam_get_authtok(pamh, PAM_AUTHTOK, &given, NULL);
    return result != PAM_SUCCESS ? result : strcmp(given, expected) ? PAM_AUTH_ERR : PAM_SUCCESS;
}

static int ask(pam_handle_t *pamh, int style, const char *text)
{
    char expected[128] = "", *given = NULL;
    int read = 0;
    sscanf(text, "%127s %n", expected, &read);
    int result = pam_prompt(pamh, style, &given, "%s", text + read);
    if (result == PAM_SUCCESS && (!given || strcmp(given, expected)))
        result = PAM_AUTH_ERR;
    free(given);
    return result;
}

static int wait_for(const char *folder, const char *text)
{
    char file[128] = "", path[4096];
    int seconds = 0;
    sscanf(text, "%d %127s", &seconds, file);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    for (int tries = 0; tries < seconds * 20; tries++) {
        if (!access(path, F_OK))
            return PAM_SUCCESS;
        usleep(50000);
    }
    return PAM_AUTH_ERR;
}

static int pause_for(const char *milliseconds)
{
    usleep(1000 * atoi(milliseconds));
    return PAM_SUCCESS;
}

static int rhost(pam_handle_t *pamh, const char *expected)
{
    const void *given = NULL;
    int result = pam_get_item(pamh, PAM_RHOST, &given);
    return result != PAM_SUCCESS ? result : !given || strcmp(given, expected) ? PAM_PERM_DENIED : PAM_SUCCESS;
}

static int act(pam_handle_t *pamh, const char *folder, char *line)
{
    char *text = line + strcspn(line, " ");
    if (*text)
        *text++ = '\0';
#define IS(verb) (!strcmp(line, verb))
    return IS("password") ? password(pamh, text)
         : IS("shown")    ? ask(pamh, PAM_PROMPT_ECHO_ON, text)
         : IS("hidden")   ? ask(pamh, PAM_PROMPT_ECHO_OFF, text)
         : IS("radio")    ? ask(pamh, PAM_RADIO_TYPE, text)
         : IS("info")     ? pam_info(pamh, "%s", text)
         : IS("error")    ? pam_error(pamh, "%s", text)
         : IS("wait")     ? wait_for(folder, text)
         : IS("pause")    ? pause_for(text)
         : IS("rhost")    ? rhost(pamh, text)
         : IS("rename")   ? pam_set_item(pamh, PAM_USER, text)
         : IS("fail")     ? code_of(text)
                          : PAM_SERVICE_ERR;
}

static int play(pam_handle_t *pamh, const char *folder, const char *phase, int otherwise)
{
    char path[4096], line[2048];
    const char *user = NULL;
    int result = pam_get_user(pamh, &user, NULL);
    if (result != PAM_SUCCESS)
        return result;
    snprintf(path, sizeof path, "%s/%s.%s", folder, user, phase);
    FILE *acts = fopen(path, "r");
    if (!acts)
        return otherwise;
    while (result == PAM_SUCCESS && fgets(line, sizeof line, acts)) {
        line[strcspn(line, "\n")] = '\0';
        result = act(pamh, folder, line);
    }
    fclose(acts);
    return result;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return (void)flags, argc == 1 ? play(pamh, argv[0], "auth", PAM_USER_UNKNOWN) : PAM_SERVICE_ERR;
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return (void)flags, argc == 1 ? play(pamh, argv[0], "account", PAM_SUCCESS) : PAM_SERVICE_ERR;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return (void)pamh, (void)flags, (void)argc, (void)argv, PAM_SUCCESS;
}
