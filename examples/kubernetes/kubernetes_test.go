// Package kubernetes_test holds the manifests of this folder against ehc and
// against each other.
package kubernetes_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"ehc/examples/deploytest"
	"ehc/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// object is what the manifests may have, as Kubernetes calls it. A key that is not
// here fails the test.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   meta
	Data       map[string]string // of a ConfigMap
	Spec       spec
}

type meta struct {
	Name, Namespace     string
	Labels, Annotations map[string]string
}

// spec is that of a Service or a StatefulSet.
type spec struct {
	ClusterIP                string `yaml:"clusterIP"`
	PublishNotReadyAddresses bool   `yaml:"publishNotReadyAddresses"`
	Ports                    []struct {
		Name string
		Port int
	}
	Selector             yaml.Node
	ServiceName          string `yaml:"serviceName"`
	Replicas             int
	Template             template
	VolumeClaimTemplates []struct {
		Metadata meta
		Spec     struct {
			AccessModes []string `yaml:"accessModes"`
			Resources   yaml.Node
		}
	} `yaml:"volumeClaimTemplates"`
}

type template struct {
	Metadata meta
	Spec     struct {
		AutomountServiceAccountToken  bool `yaml:"automountServiceAccountToken"`
		TerminationGracePeriodSeconds int  `yaml:"terminationGracePeriodSeconds"`
		SecurityContext               struct {
			RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
			User           int                   `yaml:"runAsUser"`
			Group          int                   `yaml:"runAsGroup"`
			Files          int                   `yaml:"fsGroup"`
			SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		Containers []container
		Volumes    []struct {
			Name      string
			ConfigMap struct{ Name string } `yaml:"configMap"`
		}
	}
}

type container struct {
	Name, Image string
	Args        []string
	Env         []struct {
		Name, Value string
		ValueFrom   struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
			SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe    probe `yaml:"startupProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	SecurityContext struct {
		AllowPrivilegeEscalation bool                    `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool                    `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string } `yaml:"capabilities"`
	} `yaml:"securityContext"`
	Resources    yaml.Node
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct {
		Path, Port string
	} `yaml:"httpGet"`
	PeriodSeconds    int `yaml:"periodSeconds"`
	TimeoutSeconds   int `yaml:"timeoutSeconds"`
	FailureThreshold int `yaml:"failureThreshold"`
}

// manifests are the objects of a file by kind and name.
func manifests(t *testing.T, file string) map[string]object {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(deploytest.ReadFile(t, file)))
	d.KnownFields(true)
	found := map[string]object{}
	for {
		var o object
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		found[o.Kind+" "+o.Metadata.Name] = o
	}
}

// pod is the one container of ehc, with its cluster.hcl.
func pod(t *testing.T) (container, object, string) {
	t.Helper()
	all := manifests(t, "ehc.yaml")
	set := all["StatefulSet ehc"]
	if n := len(set.Spec.Template.Spec.Containers); n != 1 {
		t.Fatalf("%d containers, want one", n)
	}
	return set.Spec.Template.Spec.Containers[0], set, all["ConfigMap ehc"].Data["cluster.hcl"]
}

// environ is what the kubelet gives the container.
func environ(t *testing.T, c container) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, e := range c.Env {
		switch {
		case e.Value != "":
			env[e.Name] = e.Value
		case e.ValueFrom.FieldRef.FieldPath == "status.podIP":
			env[e.Name] = "127.0.0.1"
		case e.ValueFrom.SecretKeyRef.Name == "ehc" && e.ValueFrom.SecretKeyRef.Key == "RELEASE_COOKIE":
			env[e.Name] = "kubernetes-cookie-6931"
		default:
			t.Errorf("env %s has no value", e.Name)
		}
	}
	return env
}

func TestTheManifestsAgree(t *testing.T) {
	c, set, text := pod(t)
	asked := deploytest.Parse(t, "cluster.hcl", text, environ(t, c))
	if set.Spec.Replicas != 1 || set.Spec.ServiceName != "ehc" {
		t.Errorf("replicas %d, service %s", set.Spec.Replicas, set.Spec.ServiceName)
	}
	mounts := map[string]string{}
	for _, m := range c.VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	args := strings.Join(c.Args, " ")
	if want := fmt.Sprintf("run -config %s/cluster.hcl -data %s", mounts["config"], mounts["data"]); args != want {
		t.Errorf("args = %s, want %s as mounted", args, want)
	}
	if env := environ(t, c); env["EHC_DATA"] != mounts["data"] {
		t.Errorf("EHC_DATA is %s, and the volume at %s", env["EHC_DATA"], mounts["data"])
	}
	if len(set.Spec.VolumeClaimTemplates) != 1 || set.Spec.VolumeClaimTemplates[0].Metadata.Name != "data" {
		t.Errorf("volumes = %+v", set.Spec.VolumeClaimTemplates)
	}
	ports := map[string]int{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	if listen := int(asked.Telemetry.Listen.Port()); ports["telemetry"] != listen || set.Spec.Template.Metadata.Annotations["prometheus.io/port"] != fmt.Sprint(listen) {
		t.Errorf("ports = %v, telemetry listens at %d", ports, listen)
	}
	for path, p := range map[string]probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
		if p.HTTPGet.Path != path || p.HTTPGet.Port != "telemetry" {
			t.Errorf("probe of %s: %+v", path, p)
		}
	}
	if c.StartupProbe.HTTPGet != c.LivenessProbe.HTTPGet {
		t.Errorf("startup: %+v", c.StartupProbe)
	}
}

func TestThePodMayDoNothingThatItNeedNot(t *testing.T) {
	c, set, _ := pod(t)
	p := set.Spec.Template.Spec
	user := strings.Contains(deploytest.ReadFile(t, "../fly/Dockerfile"), fmt.Sprintf("USER %d:%d", p.SecurityContext.User, p.SecurityContext.Group))
	if !p.SecurityContext.RunAsNonRoot || !user || p.SecurityContext.Files != p.SecurityContext.Group {
		t.Errorf("user = %+v", p.SecurityContext)
	}
	s := c.SecurityContext
	if s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || cmp.Diff([]string{"ALL"}, s.Capabilities.Drop) != "" || p.AutomountServiceAccountToken {
		t.Errorf("it may do too much: %+v", s)
	}
}

// TestTheQueryIsWhatTheServiceMakes: Kubernetes names SRV records after the port,
// the service and the namespace.
func TestTheQueryIsWhatTheServiceMakes(t *testing.T) {
	c, _, text := pod(t)
	asked := deploytest.Parse(t, "cluster.hcl", text, environ(t, c))
	s := manifests(t, "phoenix.yaml")["Service phoenix"]
	if s.Spec.ClusterIP != "None" || len(s.Spec.Ports) != 1 || !s.Spec.PublishNotReadyAddresses {
		t.Fatalf("service = %+v, want a headless one with one port", s.Spec)
	}
	name := fmt.Sprintf("_%s._tcp.%s.%s.svc.cluster.local", s.Spec.Ports[0].Name, s.Metadata.Name, s.Metadata.Namespace)
	want := []state.Lookup{{Text: "srv:" + name, Kind: state.LookupSRV, Target: name}}
	if diff := cmp.Diff(want, asked.Apps[0].Queries); diff != "" {
		t.Error(diff)
	}
}

// TestAConfigMapIsReloaded runs the container's command on a folder as the kubelet
// makes it, and swaps it as the kubelet does.
func TestAConfigMapIsReloaded(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary")
	}
	c, _, text := pod(t)
	var folder, first string
	e := deploytest.Start(t, deploytest.Build(t), deploytest.Example{Args: c.Args, HCL: text, Env: environ(t, c),
		Mount: func(dir, text string) string {
			folder, first = filepath.Join(dir, "config"), text
			must(t, os.Mkdir(folder, 0o700))
			swap(t, folder, "..first", text)
			must(t, os.Symlink("..data/cluster.hcl", filepath.Join(folder, "cluster.hcl")))
			return filepath.Join(folder, "cluster.hcl")
		}})
	s, err := e.Status()
	if err != nil || len(s.Apps) != 1 {
		t.Fatalf("status = %+v, %v", s, err)
	}
	swap(t, folder, "..second", first+"peer \"other\" {\n  queries = [\"static:other@127.0.0.1\"]\n}\n")
	deploytest.Eventually(t, "the second version is in force", func() error {
		s, err := e.Status()
		if err == nil && len(s.Apps) != 2 {
			err = fmt.Errorf("%d apps", len(s.Apps))
		}
		return err
	})
}

// swap makes ..data point to a new folder with this text, at one stroke.
func swap(t *testing.T, folder, name, text string) {
	t.Helper()
	must(t, os.Mkdir(filepath.Join(folder, name), 0o700))
	must(t, os.WriteFile(filepath.Join(folder, name, "cluster.hcl"), []byte(text), 0o600))
	must(t, os.Symlink(name, filepath.Join(folder, "..tmp")))
	must(t, os.Rename(filepath.Join(folder, "..tmp"), filepath.Join(folder, "..data")))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
