//! The errors with which Slurm refuses a job.

/// Why Slurm did not take a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    code: i64,
    key: &'static str,
    said: &'a str,
}

/// Slurm's errors (`slurm/slurm_errno.h`, in its order and without `ESLURM_` before the names; where 24.11 and 26.05
/// differ, the older one's name): the first and the last number, the key of the text.
const ERRORS: &[(u16, u16, &str)] = &[
    // EAGAIN (24.11: MaxJobCount is reached).
    (11, 11, "full"),
    // SLURM_UNEXPECTED_MSG_ERROR.
    (1000, 1000, "fault"),
    (1001, 1004, "away"), // SLURM_COMMUNICATIONS_CONNECTION_ERROR to SLURM_COMMUNICATIONS_SHUTDOWN_ERROR
    (1005, 1016, "fault"), // SLURM_PROTOCOL_VERSION_ERROR to SLURM_COMMUNICATIONS_INVALID_FD
    (1017, 1023, "away"), // SLURM_BLOCKED_ON_READ to SLURM_COMMUNICATIONS_READ_TIMEOUT
    (1800, 1805, "away"), // SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR to SLURMCTLD_COMMUNICATIONS_HARD_DROP
    (2000, 2001, "no_partition"), // INVALID_PARTITION_NAME, DEFAULT_PARTITION_NOT_SET
    (2002, 2002, "not_allowed"), // ACCESS_DENIED
    (2003, 2003, "no_access"), // JOB_MISSING_REQUIRED_PARTITION_GROUP
    (2004, 2004, "node"), // REQUESTED_NODES_NOT_IN_PARTITION
    (2005, 2006, "size"), // TOO_MANY_REQUESTED_CPUS, INVALID_NODE_COUNT
    (2007, 2007, "full"), // ERROR_ON_DESC_TO_RECORD_COPY (26.05: MAX_JOB_COUNT)
    (2008, 2009, "fault"), // JOB_MISSING_SIZE_SPECIFICATION, JOB_SCRIPT_MISSING
    (2010, 2010, "person"), // USER_ID_MISSING
    (2011, 2012, "fault"), // DUPLICATE_JOB_ID, PATHNAME_TOO_LONG
    (2013, 2013, "at_once"), // NOT_TOP_PRIORITY
    (2014, 2014, "no_such_node"), // REQUESTED_NODE_CONFIG_UNAVAILABLE
    (2015, 2015, "partition_no"), // REQUESTED_PART_CONFIG_UNAVAILABLE
    (2016, 2016, "nodes_away"), // NODES_BUSY
    (2017, 2017, "fault"), // INVALID_JOB_ID
    (2018, 2018, "node"), // INVALID_NODE_NAME
    (2019, 2019, "fault"), // WRITING_TO_FILE
    (2022, 2022, "fault"), // INTERCONNECT_FAILURE
    (2023, 2023, "unsupported"), // BAD_DIST
    (2025, 2025, "size"), // BAD_TASK_COUNT
    (2026, 2026, "fault"), // INVALID_JOB_CREDENTIAL
    (2027, 2027, "away"), // IN_STANDBY_MODE
    (2029, 2029, "features"), // INVALID_FEATURE
    (2035, 2035, "at_once"), // FRAGMENTATION
    (2036, 2036, "unsupported"), // NOT_SUPPORTED
    (2037, 2037, "closed"), // DISABLED
    (2038, 2038, "dependency_never"), // DEPENDENCY
    (2039, 2039, "unsupported"), // BATCH_ONLY
    (2040, 2040, "licences"), // LICENSES_UNAVAILABLE
    (2042, 2042, "held"), // JOB_HELD
    (2044, 2044, "memory"), // INVALID_TASK_MEMORY
    (2045, 2045, "account"), // INVALID_ACCOUNT
    (2048, 2048, "unsupported"), // INVALID_LICENSES
    (2050, 2050, "policy"), // ACCOUNTING_POLICY
    (2051, 2051, "time"), // INVALID_TIME_LIMIT
    (2052, 2052, "reservation_not_yours"), // RESERVATION_ACCESS
    (2053, 2053, "no_reservation"), // RESERVATION_INVALID
    (2054, 2054, "unsupported"), // INVALID_TIME_VALUE
    (2055, 2056, "reservation"), // RESERVATION_BUSY, RESERVATION_NOT_USABLE
    (2057, 2057, "label"), // INVALID_WCKEY
    (2059, 2059, "busy"), // PORTS_BUSY
    (2060, 2060, "unsupported"), // PORTS_INVALID
    (2063, 2063, "fault"), // MISSING_WORK_DIR
    (2066, 2066, "qos"),  // INVALID_QOS
    (2068, 2068, "nodes_away"), // NODE_NOT_AVAIL
    (2069, 2069, "size"), // INVALID_CPU_COUNT
    (2070, 2070, "partition_closed"), // PARTITION_NOT_AVAIL
    (2071, 2071, "dependency_never"), // CIRCULAR_DEPENDENCY
    (2072, 2072, "gpu"),  // INVALID_GRES
    (2074, 2074, "share"), // QOS_THRES
    (2078, 2078, "at_once"), // CAN_NOT_START_IMMEDIATELY
    (2081, 2081, "unsupported"), // INVALID_ARRAY
    (2090, 2090, "fault"), // INTERNAL
    (2092, 2094, "no_storage"), // BURST_BUFFER_PERMISSION, BURST_BUFFER_LIMIT, INVALID_BURST_BUFFER_REQUEST
    (2099, 2099, "label"), // INVALID_MCS_LABEL
    (2100, 2100, "storage"), // BURST_BUFFER_WAIT
    (2101, 2101, "partition_closed"), // PARTITION_DOWN
    (2102, 2102, "gpu"),  // DUPLICATE_GRES
    (2105, 2105, "closed"), // SUBMISSIONS_DISABLED
    (2112, 2112, "unsupported"), // X11_NOT_AVAIL
    (2113, 2113, "person"), // GROUP_ID_MISSING
    (2114, 2114, "features"), // BATCH_CONSTRAINT
    (2115, 2115, "unsupported"), // INVALID_TRES
    (2117, 2117, "fault"), // INVALID_JOB_DEFAULTS
    (2118, 2118, "maintenance"), // RESERVATION_MAINT
    (2119, 2119, "gpu"),  // INVALID_GRES_TYPE
    (2121, 2121, "features"), // MULTI_KNL_CONSTRAINT
    (2122, 2122, "gpu"),  // UNSUPPORTED_GRES
    (2123, 2123, "not_allowed"), // INVALID_NICE
    (2124, 2124, "time"), // INVALID_TIME_MIN_LIMIT
    (2125, 2125, "at_once"), // DEFER
    (2127, 2127, "fault"), // ENVIRONMENT_MISSING
    (2130, 2130, "unsupported"), // PARTITION_ASSOC
    (2131, 2131, "away"), // IN_STANDBY_USE_BACKUP
    (2132, 2132, "size"), // BAD_THREAD_PER_CORE
    (2133, 2133, "features"), // INVALID_PREFER
    (2134, 2134, "gpu"),  // INSUFFICIENT_GRES
    (2135, 2135, "unsupported"), // INVALID_CONTAINER_ID
    (2145, 2145, "unsupported"), // INVALID_HET_JOB_AND_ARRAY
    (2163, 2166, "person"), // GROUP_ID_INVALID to USER_ID_UNKNOWN
    (2167, 2167, "account"), // INVALID_ASSOC
    (2170, 2170, "qos"),  // INVALID_RELATIVE_QOS
    (2171, 2171, "unsupported"), // INVALID_EXTRA
    (2174, 2176, "no_such_node"), // RES_CORES_PER_GPU_UNIQUE, RES_CORES_PER_GPU_TOPO, RES_CORES_PER_GPU_NO
    (2177, 2177, "busy"), // MAX_POWERED_NODES
    (2178, 2178, "no_such_node"), // REQUESTED_TOPO_CONFIG_UNAVAILABLE
    (2179, 2179, "unsupported"), // PREEMPTION_REQUIRED
    (2186, 2186, "unsupported"), // EXTERN_ONLY
    (2190, 2190, "fault"), // FILE_UNREADABLE
    (4003, 4003, "fault"), // ESLURMD_INVALID_ACCT_FREQ
    (5003, 5005, "fault"), // PROTOCOL_INCOMPLETE_PACKET to SLURM_PROTOCOL_SOCKET_ZERO_BYTES_SENT
    (6000, 6009, "fault"), // AUTH_CRED_INVALID to AUTH_UNABLE_TO_GENERATE_TOKEN
    (6010, 6010, "person"), // AUTH_NOBODY
    (6011, 6011, "fault"), // AUTH_SOCKET_INVALID_PEER
    (7000, 7015, "fault"), // DB_CONNECTION to ROLLUP_IN_PROGRESS
    (7100, 7106, "unsupported"), // FED_CLUSTER_MAX_CNT to FED_NO_VALID_CLUSTERS
    (7201, 7208, "no_such_node"), // TOPO_REQ_NODES_NOT_AVAIL to TOPO_EMPTY_NODE_MAP
    (7400, 7408, "fault"), // LUA_INVALID_STATE to LUA_INVALID_CONVERSION_TYPE
    (8000, 8000, "time"), // MISSING_TIME_LIMIT
    (8001, 8010, "fault"), // INVALID_KNL to PLUGIN_BAD_VERSION
    (9000, 9003, "fault"), // REST_INVALID_QUERY to REST_EMPTY_RESULT
    (9004, 9005, "person"), // REST_MISSING_UID, REST_MISSING_GID
    (9006, 9009, "fault"), // REST_UNKNOWN_URL to REST_BAD_REQUEST
    (9200, 9216, "fault"), // DATA_PATH_NOT_FOUND to DATA_PARSE_BAD_INPUT
    (10000, 10000, "unsupported"), // CONTAINER_NOT_CONFIGURED
];

impl<'a> Refusal<'a> {
    /// Sorts an error number by what it means to the person whose job it was.
    pub fn from_code(code: i64) -> Self {
        let found = ERRORS
            .iter()
            .find(|(first, last, _)| (i64::from(*first)..=i64::from(*last)).contains(&code));
        let key = match found {
            Some((_, _, key)) => key,
            // SLURM_ERROR: what a refusal by a job_submit plugin mostly becomes. Its words are lost.
            None if code == -1 => "no_reason",
            None => "refused_code",
        };
        Self { code, key, said: "" }
    }

    /// With Slurm's own words, which are shown where the number says nothing.
    #[must_use]
    pub fn saying(self, words: &'a str) -> Self {
        let said = words.trim().trim_end_matches('.');
        let says_nothing = said.is_empty() || said == "Unspecified error";
        match self.key {
            "refused_code" | "no_reason" if !says_nothing => Self {
                key: "refused",
                said,
                ..self
            },
            _ => self,
        }
    }

    /// The key of the text; `refused` or `refused_code` for an error of no known meaning.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// Slurm's error number.
    pub fn code(&self) -> i64 {
        self.code
    }

    /// Slurm's own words, where they are the only ones.
    pub fn said(&self) -> &'a str {
        self.said
    }
}
