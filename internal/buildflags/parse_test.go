package buildflags_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock/internal/buildflags"
)

func arg(name, value string) buildflags.Arg {
	return buildflags.Arg{Name: name, Value: value, HasValue: true}
}

func registryCache(ref string) buildflags.CacheEntry {
	return buildflags.CacheEntry{Type: "registry", Attrs: map[string]string{"ref": ref}}
}

func TestParse(t *testing.T) {
	t.Parallel()
	type b = buildflags.Build
	tests := []struct {
		name string
		args []string
		want b
	}{
		{"context alone", []string{"."}, b{Context: "."}},
		{"context first", []string{"dir", "-t", "a:1", "-f", "x/Dockerfile"}, b{Context: "dir", Tags: []string{"a:1"}, Dockerfile: "x/Dockerfile"}},
		{"context in between", []string{"--tag", "a", "https://h/r.git#main:dir", "--tag=b:2", "-tc", "-t=d"}, b{
			Context: "https://h/r.git#main:dir", Tags: []string{"a", "b:2", "c", "d"},
		}},
		{"standard input", []string{"-t", "a", "-"}, b{Context: "-", Tags: []string{"a"}}},
		{"dockerfile from standard input", []string{"-f", "-", "."}, b{Context: ".", Dockerfile: "-"}},
		{"double dash", []string{"-q", "--", "-dir"}, b{Context: "-dir", Quiet: true}},
		{"blanks in values", []string{"-f", "my dir/Docker file", "--label", "a=b c", "my dir"}, b{
			Context: "my dir", Dockerfile: "my dir/Docker file", Labels: []buildflags.Arg{arg("a", "b c")},
		}},
		{"last file counts", []string{"--file=a", "-fb", "."}, b{Context: ".", Dockerfile: "b"}},
		{"short flags together", []string{"-qt", "x", "-qfDockerfile", "."}, b{Context: ".", Quiet: true, Tags: []string{"x"}, Dockerfile: "Dockerfile"}},
		{"arguments", []string{"--build-arg", "A=b=c", "--build-arg=B=", "--build-arg", "C", "--build-arg", "D=x,y", "."}, b{
			Context: ".", Args: []buildflags.Arg{arg("A", "b=c"), arg("B", ""), {Name: "C"}, arg("D", "x,y")},
		}},
		{"secret arguments", []string{"--secret-build-arg", "T=s e c", "--secret-build-arg=U", "."}, b{
			Context: ".", SecretArgs: []buildflags.Arg{arg("T", "s e c"), {Name: "U"}},
		}},
		{"bools", []string{"--no-cache", "--pull=true", "--push=false", "--load", "--quiet=0", "."}, b{Context: ".", NoCache: true, Pull: true, Load: true}},
		{"platforms", []string{"--platform", "linux/AMD64", "--platform=Linux, linux/arm64/v8", "."}, b{
			Context: ".", Platforms: []string{"linux/amd64", "linux", "linux/arm64/v8"},
		}},
		{"platform with a version", []string{"--platform", "windows(10.0.17763)/amd64", "."}, b{Context: ".", Platforms: []string{"windows(10.0.17763)/amd64"}}},
		{"secrets", []string{
			"--secret", "id=a,src=/a b", "--secret", `"id=b","source=x,y"`, "--secret", "type=env,id=c,src=C", "--secret", "id=d,env=D", "--secret", "ID=e,type=file", ".",
		}, b{
			Context: ".", Secrets: []buildflags.Secret{{ID: "a", Src: "/a b"}, {ID: "b", Src: "x,y"}, {ID: "c", Env: "C"}, {ID: "d", Env: "D"}, {ID: "e"}},
		}},
		{"ssh", []string{"--ssh", "default", "--ssh=git=/k1,/k2", "--ssh", "x=", "."}, b{
			Context: ".", SSH: []buildflags.SSH{{ID: "default"}, {ID: "git", Paths: []string{"/k1", "/k2"}}, {ID: "x"}},
		}},
		{"network", []string{"--network=host", "--add-host", "a:1.2.3.4", "--add-host=b=[::1]", "--add-host", "c:fe80::1", "."}, b{
			Context: ".", Network: "host", AddHosts: []string{"a:1.2.3.4", "b:::1", "c:fe80::1"},
		}},
		{"cache", []string{
			"--cache-from=ubuntu", "--cache-from", "a:1,b:2", "--cache-from", "type=registry,ref=r/c", "--cache-to", "type=inline", "--cache-to", "type=local,dest=x,mode=max",
			"--no-cache-filter", "a,b", "--no-cache-filter=c", ".",
		}, b{
			Context:       ".",
			CacheFrom:     []buildflags.CacheEntry{registryCache("ubuntu"), registryCache("a:1"), registryCache("b:2"), registryCache("r/c")},
			CacheTo:       []buildflags.CacheEntry{{Type: "inline", Attrs: map[string]string{}}, {Type: "local", Attrs: map[string]string{"dest": "x", "mode": "max"}}},
			NoCacheFilter: []string{"a", "b", "c"},
		}},
		{"outputs", []string{"-o", "type=image,name=r/a:1,push=true", "--output=type=docker", "."}, b{Context: ".", Tags: []string{"r/a:1"}, Push: true, Load: true}},
		{"registry output", []string{"--output", `type=registry,"name=a,b:2",compression=zstd`, "."}, b{
			Context: ".", Tags: []string{"a", "b:2"}, Push: true, Warnings: []string{"The key compression of --output has no effect."},
		}},
		{"limits", []string{
			"-m", "512m", "--shm-size=1g", "--cpu-quota", "50000", "--cpu-period=100000", "-c", "512", "--cpuset-cpus", "0-1", "--ulimit", "nofile=1024:2048", "--ulimit=core=0", ".",
		}, b{
			Context: ".", Memory: 512 << 20, ShmSize: 1 << 30, CPUQuota: 50000, CPUPeriod: 100000, CPUShares: 512, CPUSet: "0-1", Ulimits: []string{"nofile=1024:2048", "core=0"},
		}},
		{"processors", []string{"--cpus", "1.5", "."}, b{Context: ".", CPUQuota: 150000, CPUPeriod: 100000}},
		{"contexts", []string{"--build-context", "base=docker-image://alpine:3", "--build-context=src=../x=y", "."}, b{
			Context: ".", BuildContexts: []buildflags.Arg{arg("base", "docker-image://alpine:3"), arg("src", "../x=y")},
		}},
		{"target and progress", []string{"--target", "test", "--progress=plain", "."}, b{Context: ".", Target: "test", Progress: "plain"}},
		{"without meaning", []string{
			"--squash", "--compress=false", "--rm", "--force-rm=true", "--security-opt", "x", "--security-opt=y", "--isolation=hyperv", "--memory-swap", "-1", "--provenance", "--sbom=false", "-D", ".",
		}, b{Context: ".", Warnings: []string{"--squash has no effect.", "--security-opt has no effect.", "--isolation has no effect.", "--memory-swap has no effect.", "--provenance has no effect."}}},
		{"without meaning, silent", []string{"--isolation", "default", "--provenance=false", "--disable-content-trust", "--call=build", "."}, b{Context: "."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := buildflags.Parse(tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("Parse(%q):\n%s", tt.args, diff)
			}
		})
	}
}
