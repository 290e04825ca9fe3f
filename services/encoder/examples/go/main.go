// Compares a picture with texts: go run . HOST:PORT PICTURE TEXT...
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	encoderv1 "example.com/sightline-encoder-example/sightline/encoder/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: go run . HOST:PORT PICTURE TEXT...")
	}
	address, picture, texts := os.Args[1], os.Args[2], os.Args[3:]
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer connection.Close()
	encoder := encoderv1.NewEncoderClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	listed, err := encoder.ListModels(ctx, &encoderv1.ListModelsRequest{})
	check(err)
	fmt.Println("model", listed.Models[0].Id)

	file, err := os.ReadFile(picture)
	check(err)
	source := &encoderv1.Image{Source: &encoderv1.Image_Encoded{Encoded: file}}
	encoded, err := encoder.EncodeImage(ctx, &encoderv1.EncodeImageRequest{Images: []*encoderv1.Image{source}})
	check(err)
	answer, err := encoder.EncodeText(ctx, &encoderv1.EncodeTextRequest{Texts: texts})
	check(err)
	image := vector(encoded.Results[0])
	for index, text := range texts {
		fmt.Printf("%.3f %s\n", dot(image, vector(answer.Results[index])), text)
	}
}

// The vector of one item; of length one, so that the cosine similarity of two is their dot product.
func vector(result *encoderv1.Result) []float32 {
	if status := result.GetStatus(); status != nil {
		log.Fatal(status.Message)
	}
	return result.GetVector().Values
}

func dot(a, b []float32) (sum float32) {
	for index := range a {
		sum += a[index] * b[index]
	}
	return sum
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
